import { type ConformanceCase, defineCases } from "../conformance-case.ts";

function xattrCases(): ConformanceCase[] {
  return defineCases("extended attributes", {
    "are set, replaced and removed": `
      mknod f S_IFREG|0644 0 0
      setxattr f user.a one 0 => 0
      setxattr f user.a two XATTR_CREATE => EEXIST
      setxattr f user.b two XATTR_REPLACE => ENODATA
      setxattr f user.a three XATTR_REPLACE => 0
      setxattr f user.b b XATTR_CREATE => 0
      getxattr f user.a 100 => 5 three
      getxattr f user.a 3 => ERANGE
      getxattr f user.a 0 => 5
      getxattr f user.none 100 => ENODATA
      removexattr f user.none => ENODATA
      removexattr f user.a => 0
      open 0 f O_RDONLY 0
      fsetxattr 0 user.c %00%01%ff 0
      setxattr-long f user.long 3000
      setxattr-long f user.long 70000 => E2BIG
      setxattr f user. x 0 => EINVAL
      setxattr f unknown.a x 0 => EOPNOTSUPP
      setxattr f user.${"n".repeat(250)} x 0 => 0
      setxattr f user.${"n".repeat(251)} x 0 => ERANGE`,
    "of more than a block": `
      mknod f S_IFREG|0644 0 0
      setxattr-long f user.long 5000`,
    "of what is no file": `
      mkdir d 0755
      setxattr d user.a 1 0 => 0
      mkfifo p 0644
      setxattr p user.a 1 0 => EPERM
      getxattr p user.a 10
      symlink d l
      setxattr l user.a 1 0 => EPERM
      getxattr l user.a 10
      listxattr l
      listxattr p`,
    "of the trusted and the system": `
      mknod f S_IFREG|0644 0 0
      setxattr f trusted.a 1 0
      getxattr f trusted.a 10`,
    "that no file system knows": `
      mknod f S_IFREG|0644 0 0
      getxattr f unknown.a 10 => EOPNOTSUPP
      getxattr f user 10 => EOPNOTSUPP
      getxattr f system.a 10 => EOPNOTSUPP
      getxattr f user.a 10 => ENODATA
      removexattr f unknown.a => EOPNOTSUPP`,
    "in a sticky directory": `
      mkdir d 01777
      as 1000 1000 -
      setxattr d user.a 1 0
      getxattr d user.a 10`,
  });
}

const ROOT = "as 0 0 -";

function aclCases(): ConformanceCase[] {
  return defineCases("access control lists", {
    "let in and keep out": `
      chmod . 0777
      mknod f S_IFREG|0640 0 0
      setfacl f access u::rw-,u:1000:rw-,u:2000:---,g::r--,g:5000:r--,m::rw-,o::r-- => 0
      as 1000 1000 -
      open 0 f O_RDWR 0 => 0
      as 2000 2000 -
      open 0 f O_RDONLY 0 => EACCES
      as 3000 3000 5000
      open 0 f O_RDONLY 0 => 0
      open 0 f O_RDWR 0 => EACCES
      as 4000 4000 -
      open 0 f O_RDONLY 0 => 0
      setfacl f access u::rwx,g::rwx,o::rwx => EPERM
      removexattr f system.posix_acl_access => EPERM
      getxattr f system.posix_acl_access 0 => 60`,
    "and the mode are one": `
      mknod f S_IFREG|0640 0 0
      setfacl f access u::rw-,u:1000:rw-,g::r--,m::rw-,o::---
      stat f => file 0660 0:0 nlink=1 size=0
      chmod f 0604
      as 1000 1000 -
      open 0 f O_RDONLY 0
      ${ROOT}
      chmod f 0670
      as 1000 1000 -
      open 0 f O_RDWR 0 => 0
      ${ROOT}
      setfacl f access u::r--,g::r--,o::r-- => 0
      stat f => file 0444 0:0 nlink=1 size=0
      getxattr f system.posix_acl_access 100 => ENODATA
      setfacl f access u::rw-,u:1000:rw-,g::r--,m::rwx,o::--- => 0
      removexattr f system.posix_acl_access => 0
      stat f`,
    "are inherited": `
      mkdir d 0755
      setfacl d default u::rwx,u:1000:rwx,g::r-x,m::rwx,o::r-x => 0
      umask 077
      mkdir d/sub 0777
      mknod d/f S_IFREG|0666 0 0
      open 0 d/g O_CREAT|O_RDWR 0640
      mkfifo d/p 0666
      symlink x d/l
      bind 1 d/s
      mkdir d/sub/sub 0700
      as 1000 1000 -
      open 0 d/sub/mine O_CREAT|O_RDWR 0666
      open 0 d/f O_RDWR 0
      ${ROOT}
      link d/f d/h
      rename d/g g
      removexattr d system.posix_acl_default => 0
      mknod d/i S_IFREG|0666 0 0`,
    "that are only modes are inherited too": `
      mkdir d 0755
      setfacl d default u::rwx,g::r-x,o::--- => 0
      umask 022
      mkdir d/sub 0777
      mknod d/f S_IFREG|0666 0 0
      open 0 d/g O_CREAT|O_RDWR 0777`,
    "are checked": `
      mknod f S_IFREG|0640 0 0
      mkdir d 0755
      symlink f l
      setfacl f access u::rw-,g::r-- => EINVAL
      setfacl f access u::rw-,u:1000:rw-,g::r--,o::--- => EINVAL
      setxattr f system.posix_acl_access garbage 0 => EOPNOTSUPP
      setfacl f default u::rwx,g::r-x,o::---
      setfacl l access u::rwx,g::r-x,o::---
      getxattr d system.posix_acl_default 100 => ENODATA
      removexattr f system.posix_acl_access
      removexattr d system.posix_acl_default`,
    "drop set-group-ID for who is not of the group": `
      mknod f S_IFREG|02770 0 0
      chown f 1000 2000
      chmod f 02770
      as 1000 1000 -
      setfacl f access u::rwx,u:3000:rwx,g::rwx,m::rwx,o::---`,
    "of a directory guard its entries": `
      mkdir d 0700
      mknod d/f S_IFREG|0666 0 0
      setfacl d access u::rwx,u:1000:r-x,u:2000:rwx,g::---,m::rwx,o::---
      as 1000 1000 -
      stat d/f
      mknod d/g S_IFREG|0666 0 0 => EACCES
      as 2000 2000 -
      mknod d/g S_IFREG|0666 0 0 => 0
      as 3000 3000 -
      stat d/f => EACCES`,
  });
}

/** Extended attributes, access control lists among them. */
export function attributeCases(): ConformanceCase[] {
  return [...xattrCases(), ...aclCases()];
}
