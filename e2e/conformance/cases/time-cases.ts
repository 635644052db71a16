import { type ConformanceCase, defineCases } from "../conformance-case.ts";

const MADE = "mknod f S_IFREG|0666 0 0\nchown f 1000 1000\nchmod . 0777";

/** Times, and who may set them. */
export function timeCases(): ConformanceCase[] {
  return defineCases("times", {
    "in nanoseconds": `
      ${MADE}
      utimens f 1600000000123456789 1500000000987654321 0
      utimens f 1 999999999 0
      utimens f -1 -1500000001 0
      utimens f 4294967296000000005 4294967295999999999 0
      utimens f 8589934592000000000 2147483648000000000 0
      utimens f -2147483648000000000 -2147483647999999999 0`,
    "now and left alone": `
      ${MADE}
      utimens f 1000000000 2000000000 0
      utimens f omit 3000000000 0
      utimens f 4000000000 omit 0
      utimens f omit omit 0
      utimens f now omit 0
      utimens f 1000000000 now 0
      utimens f 1000000000 2000000000 0
      utimens f now now 0`,
    "by descriptor": `
      open 0 f O_CREAT|O_RDWR 0644
      futimens 0 1000000000 2000000000
      write 0 text -1
      futimens 0 3000000000 4000000000
      close 0
      open 0 f O_RDONLY 0
      futimens 0 omit 5000000000
      close 0`,
    "of a symlink and what it leads to": `
      ${MADE}
      symlink f l
      utimens l 1000000000 2000000000 AT_SYMLINK_NOFOLLOW
      utimens l 3000000000 4000000000 0`,
    "of directories, FIFOs and sockets": `
      mkdir d 0755
      mkfifo p 0644
      mknod s S_IFSOCK|0644 0 0
      utimens d 1000000001 2000000002 0
      utimens p 1000000001 2000000002 0
      utimens s 1000000001 2000000002 0`,
    "by others": `
      ${MADE}
      as 2000 2000 -
      utimens f now now 0 => 0
      utimens f 1000000000 2000000000 0 => EPERM
      utimens f now omit 0 => EPERM
      utimens f omit 1000000000 0 => EPERM
      as 0 0 -
      chmod f 0644
      as 2000 2000 -
      utimens f now now 0 => EACCES
      utimens f omit omit 0 => 0
      as 1000 1000 -
      utimens f 1000000000 2000000000 0 => 0
      utimens f now omit 0 => 0
      utimens f now now 0 => 0`,
    "move as they should": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 text -1
      read 0 4 0
      chmod f 0600
      chown f 1 1
      link f g
      unlink g
      rename f h
      setxattr h user.a 1 0
      removexattr h user.a
      ftruncate 0 2
      ftruncate 0 2
      truncate h 2
      truncate h 1
      close 0
      open 0 h O_WRONLY|O_TRUNC 0
      close 0
      open 0 h O_WRONLY|O_TRUNC 0
      close 0
      open 0 h O_RDWR 0
      fsync 0
      close 0
      utimens h 1000000000 1000000000 0
      open 0 h O_RDWR 0
      close 0
      open 0 h O_RDWR|O_CREAT 0644
      write 0 x 0
      close 0`,
    "are in the order of what happened": `
      open 0 a O_CREAT|O_RDWR 0644
      open 1 b O_CREAT|O_RDWR 0644
      write 1 text -1
      ordered a b => 1
      utimens a now now 0
      ordered b a => 1
      write 1 more -1
      ordered a b => 1
      mknod c S_IFREG|0644 0 0
      ordered b c => 1
      write 0 text -1
      ordered c a => 1
      mkdir d 0755
      ordered a d => 1
      mknod d/x S_IFREG|0644 0 0
      ordered d/x d
      write 1 more -1
      ordered d b => 1`,
  });
}
