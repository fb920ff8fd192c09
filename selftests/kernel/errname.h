/* SPDX-License-Identifier: GPL-2.0 */
/* strerrorname_np(), which glibc has since 2.32: the names that tests may come by. */
#ifndef ERRNAME_H
#define ERRNAME_H

#include <errno.h>
#include <string.h>

#if !__GLIBC_PREREQ(2, 32)
static inline const char *strerrorname_np(int error)
{
	switch (error) {
	case 0: return "0";
	case EPERM: return "EPERM";
	case ENOENT: return "ENOENT";
	case EINTR: return "EINTR";
	case EIO: return "EIO";
	case ENXIO: return "ENXIO";
	case EBADF: return "EBADF";
	case EAGAIN: return "EAGAIN";
	case ENOMEM: return "ENOMEM";
	case EACCES: return "EACCES";
	case EFAULT: return "EFAULT";
	case ENOTBLK: return "ENOTBLK";
	case EBUSY: return "EBUSY";
	case EEXIST: return "EEXIST";
	case ENODEV: return "ENODEV";
	case EINVAL: return "EINVAL";
	case ENOTTY: return "ENOTTY";
	case EFBIG: return "EFBIG";
	case ENOSPC: return "ENOSPC";
	case EROFS: return "EROFS";
	case EPIPE: return "EPIPE";
	case ERANGE: return "ERANGE";
	case ENAMETOOLONG: return "ENAMETOOLONG";
	case EBADE: return "EBADE";
	case ENODATA: return "ENODATA";
	case EOVERFLOW: return "EOVERFLOW";
	case EBADMSG: return "EBADMSG";
	case EMSGSIZE: return "EMSGSIZE";
	case EOPNOTSUPP: return "EOPNOTSUPP";
	case ETIMEDOUT: return "ETIMEDOUT";
	case ESTALE: return "ESTALE";
	case EUCLEAN: return "EUCLEAN";
	case EREMOTEIO: return "EREMOTEIO";
	case EMEDIUMTYPE: return "EMEDIUMTYPE";
	case ENOMEDIUM: return "ENOMEDIUM";
	case ECANCELED: return "ECANCELED";
	case EHWPOISON: return "EHWPOISON";
	}
	return "another error";
}
#endif

#endif /* ERRNAME_H */
