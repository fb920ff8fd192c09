# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The guest's NVDIMMs and NVMe namespaces: sparse files.

# QEMU keeps the labels behind the region, in the same file.
readonly NVDIMM_LABEL=$((2 << 20))

# device_sizes KIND SPEC: prints one size in bytes a line. SPEC is a list of
# N:SIZE or SIZE, such as 2:1G or 1G,512M.
device_sizes() {
	local kind=$1 part count size bytes i step_size=512

	# The kernel hands out a region in such steps only.
	[[ $kind == nvme ]] || step_size=$((16 << 20))
	for part in ${2//,/ }; do
		count=1 size=$part
		if [[ $part == *:* ]]; then
			count=${part%%:*} size=${part#*:}
		fi
		bytes=$(size_bytes "$size")
		[[ $count =~ ^[0-9]+$ && $bytes -gt 0 ]] ||
			die "$EXIT_USAGE" "--$kind takes N:SIZE or SIZE,SIZE...: not '$2'"
		((bytes % step_size == 0)) ||
			die "$EXIT_USAGE" "--$kind: $size is no multiple of $step_size bytes"
		for ((i = 0; i < count; i++)); do
			echo "$bytes"
		done
	done
}

# size_bytes SIZE: 0 if it is none.
size_bytes() {
	numfmt --from=iec -- "${1%[bB]}" 2>/dev/null || echo 0
}

# devices_prepare DIR NVDIMM-SPEC NVME-SPEC: creates the files, or takes those an
# earlier run left. Sets the arrays NVDIMM_SIZES and NVME_SIZES.
devices_prepare() {
	local dir=$1 kind spec wanted kept

	mkdir -p "$dir"
	declare -ga NVDIMM_SIZES NVME_SIZES
	for kind in nvdimm nvme; do
		spec=$2
		[[ $kind == nvdimm ]] || spec=$3
		wanted=$(device_sizes "$kind" "$spec") || exit
		if [[ -e $dir/$kind.sizes ]]; then
			kept=$(<"$dir/$kind.sizes")
			[[ -z $spec || $wanted == "$kept" ]] ||
				die "$EXIT_USAGE" "--$kind $spec differs from what $dir keeps: ${kept//$'\n'/ }"
			wanted=$kept
		else
			device_files "$dir" "$kind" "$wanted" || die "$EXIT_PREPARE" "cannot create the devices' files in $dir"
			[[ -z $wanted ]] || echo "$wanted" >"$dir/$kind.sizes"
		fi
		if [[ $kind == nvdimm ]]; then
			mapfile -t NVDIMM_SIZES < <(printf '%s' "${wanted:+$wanted$'\n'}")
		else
			mapfile -t NVME_SIZES < <(printf '%s' "${wanted:+$wanted$'\n'}")
		fi
	done
}

device_files() {
	local dir=$1 kind=$2 i=0 size

	for size in $3; do
		[[ $kind == nvme ]] || size=$((size + NVDIMM_LABEL))
		truncate -s "$size" "$dir/$kind$i" || return
		i=$((i + 1))
	done
}

# nvdimm_slots COUNT: prints the slot whose DIMM becomes region 0, region 1 and
# so on. The kernel numbers regions in the order of the firmware's table, and
# QEMU fills that from a hash of the devices' ids: the reverse of the order in
# which it lists them. The guest checks the result.
nvdimm_slots() {
	local count=$1 slot
	local -a arguments=()

	((count > 0)) || return 0
	for ((slot = 0; slot < count; slot++)); do
		arguments+=(
			-object "memory-backend-ram,id=nvdimm-mem$slot,size=32M"
			-device "nvdimm,id=nvdimm$slot,memdev=nvdimm-mem$slot,slot=$slot"
		)
	done
	printf '%s\n' '{"execute": "qmp_capabilities"}' \
		'{"execute": "qom-list", "arguments": {"path": "/machine/peripheral"}}' \
		'{"execute": "quit"}' |
		qemu-system-x86_64 -S -nodefaults -no-user-config -display none -accel tcg \
			-machine q35,nvdimm=on -m "128M,slots=$count,maxmem=64G" -qmp stdio \
			"${arguments[@]}" |
		grep -o '"name": "nvdimm[0-9]*"' | grep -o '[0-9]*' | tac
}

# devices_arguments DIR MEMORY-BYTES: adds to the array QEMU_ARGS. No other
# device may have an id: see nvdimm_slots.
devices_arguments() {
	local dir=$1 memory=$2 i slot size total=$2
	local -a region=()

	for size in "${NVDIMM_SIZES[@]}"; do
		total=$((total + size + NVDIMM_LABEL))
	done
	# Room for the alignment of each module's address.
	total=$((total + ((${#NVDIMM_SIZES[@]} + 1) << 30)))
	QEMU_ARGS+=(-m "${memory}B,slots=$((${#NVDIMM_SIZES[@]} + 1)),maxmem=${total}B")

	mapfile -t NVDIMM_SLOTS < <(nvdimm_slots ${#NVDIMM_SIZES[@]})
	((${#NVDIMM_SLOTS[@]} == ${#NVDIMM_SIZES[@]})) ||
		die "$EXIT_PREPARE" "QEMU does not tell the order of its NVDIMMs"
	for i in "${!NVDIMM_SLOTS[@]}"; do
		region[NVDIMM_SLOTS[i]]=$i
	done
	for slot in "${!region[@]}"; do
		i=${region[slot]}
		size=$((NVDIMM_SIZES[i] + NVDIMM_LABEL))
		QEMU_ARGS+=(
			-object "memory-backend-file,id=nvdimm-mem$slot,share=on,mem-path=$dir/nvdimm$i,size=${size}B,align=2M"
			-device "nvdimm,id=nvdimm$slot,memdev=nvdimm-mem$slot,label-size=$NVDIMM_LABEL,slot=$slot"
		)
	done

	((${#NVME_SIZES[@]})) || return 0
	QEMU_ARGS+=(-device 'nvme,serial=pmemvol')
	for i in "${!NVME_SIZES[@]}"; do
		QEMU_ARGS+=(
			-drive "file=$dir/nvme$i,if=none,id=nvme-drive$i,format=raw"
			-device "nvme-ns,drive=nvme-drive$i,nsid=$((i + 1))"
		)
	done
}
