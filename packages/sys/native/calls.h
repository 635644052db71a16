/* Every call of the addon, once: declared from this list here, exported from it in module.c. */
#ifndef IZO_SYS_CALLS_H
#define IZO_SYS_CALLS_H

#include <node_api.h>

#define IZO_CALLS(X) \
	X(utimensat) \
	X(futimens) \
	X(lgetxattr) \
	X(fgetxattr) \
	X(lsetxattr) \
	X(fsetxattr) \
	X(llistxattr) \
	X(flistxattr) \
	X(lremovexattr) \
	X(fremovexattr) \
	X(renameat2) \
	X(mknodat) \
	X(mkdirat) \
	X(unlinkat) \
	X(symlinkat) \
	X(linkat) \
	X(linkFd) \
	X(readlinkat) \
	X(fchownat) \
	X(fchmodat) \
	X(statx) \
	X(getdents64) \
	X(openat) \
	X(openat2) \
	X(setReadLease) \
	X(releaseLease) \
	X(hasWriter) \
	X(reflink) \
	X(copyFileRange) \
	X(fallocate) \
	X(lseek) \
	X(syncfs) \
	X(flock) \
	X(mount) \
	X(umount2) \
	X(sendDatagram) \
	X(socketPair) \
	X(receiveDescriptor) \
	X(setNonBlocking) \
	X(receive) \
	X(readUnchanged) \
	X(makeFiles) \
	X(watch) \
	X(endWatch) \
	X(fuseReceive) \
	X(fuseSend) \
	X(fuseOpenBacking) \
	X(fuseCloseBacking)

#define IZO_DECLARE(name) napi_value izo_##name(napi_env env, napi_callback_info info);
IZO_CALLS(IZO_DECLARE)

#endif
