import { type ConformanceCase, defineCases } from "../conformance-case.ts";

const GIB_5 = 5 * 2 ** 30;

const FOUR_BLOCKS = `
  open 0 f O_CREAT|O_RDWR 0644
  fill 0 a 4096 0
  fill 0 b 4096 4096
  fill 0 c 4096 8192
  fill 0 d 4096 12288`;

function openCases(): ConformanceCase[] {
  return defineCases("open", {
    "for appending": `
      open 0 f O_CREAT|O_WRONLY|O_APPEND 0644
      open 1 f O_RDWR 0644
      write 0 one -1
      write 1 TWO -1
      write 0 three -1
      write 0 four 0
      open 2 f O_RDWR|O_APPEND 0
      write 2 five -1
      read 2 20 0
      ftruncate 1 2
      write 0 six -1
      read 1 20 0`,
    "for truncating": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 text -1
      open 1 f O_WRONLY|O_TRUNC 0 => 0
      read 0 10 0 => 0
      write 0 again 2
      open 1 f O_RDONLY|O_TRUNC 0 => 0
      fstat 0 => file 0644 0:0 nlink=1 size=0
      open 1 f O_CREAT|O_TRUNC|O_RDWR 0600 => 0`,
    "for what it was not opened for": `
      open 0 f O_CREAT|O_WRONLY 0644
      read 0 1 0 => EBADF
      write 0 x -1 => 1
      open 1 f O_RDONLY 0
      write 1 x -1 => EBADF
      ftruncate 1 0 => EINVAL
      fallocate 1 0 0 10 => EBADF
      open 2 . O_RDONLY 0
      read 2 1 -1 => EISDIR
      open 3 . O_RDWR 0 => EISDIR
      open 3 . O_RDONLY|O_CREAT 0644 => EISDIR
      open 3 f O_PATH 0
      read 3 1 0 => EBADF
      fchmod 3 0600 => EBADF
      fstat 3`,
    "without a name": `
      open 0 . O_TMPFILE|O_RDWR 0600
      fstat 0 => file 0600 0:0 nlink=0 size=0
      write 0 text -1
      link-fd 0 f => 0
      fstat 0 => file 0600 0:0 nlink=1 size=4
      write 0 more -1 => 4
      link-fd 0 g => 0
      same f g => 1
      close 0
      open 0 f O_RDONLY 0
      read 0 10 0 => 8 textmore`,
    "without a name, and given one with all that was changed": `
      mkdir d 02775
      chown d 0 7
      open 0 d O_TMPFILE|O_RDWR 0666
      write 0 text -1
      fchmod 0 0640
      fchown 0 5 6
      fsetxattr 0 user.k v 0
      ftruncate 0 2
      write 0 s 9
      fsync 0
      open 1 f O_CREAT|O_RDWR 0644
      link-fd 0 f => EEXIST
      link-fd 0 d/g => 0
      rename d/g f => 0
      stat f => file 0640 5:6 nlink=1 size=10`,
    "without a name, for good": `
      open 0 . O_TMPFILE|O_EXCL|O_RDWR 0600
      write 0 text -1
      link-fd 0 f => ENOENT
      read 0 10 0 => 4 text
      close 0
      open 0 . O_TMPFILE|O_WRONLY 0600 => 0
      link-fd 0 f => 0
      unlink f
      link-fd 0 g => ENOENT
      open 1 . O_TMPFILE|O_RDONLY 0600 => EINVAL
      open 1 f O_TMPFILE|O_RDWR 0600 => ENOENT`,
    "with a mode that forbids what follows": `
      chmod . 0777
      as 1000 1000 -
      open 0 f O_CREAT|O_RDWR 0444 => 0
      write 0 text -1 => 4
      open 1 f O_WRONLY 0 => EACCES
      open 1 f O_CREAT|O_RDONLY 0 => 0`,
    "of a file that another made meanwhile": `
      1:open 0 f O_CREAT|O_EXCL|O_RDWR 0644 => 0
      2:open 0 f O_CREAT|O_EXCL|O_RDWR 0644 => EEXIST
      2:open 0 f O_CREAT|O_RDWR 0600 => 0
      1:write 0 text -1
      2:read 0 10 0 => 4 text`,
    "past the cache": `
      open 0 f O_CREAT|O_RDWR|O_DIRECT 0644
      write 0 unaligned -1
      open 1 f O_RDWR|O_SYNC 0
      write 1 synced -1
      open 2 f O_RDWR|O_DSYNC 0
      write 2 also -1`,
    "of a running program": `
      open 0 f O_CREAT|O_RDWR 0755
      exec f => ETXTBSY
      close 0
      chmod . 0777
      as 1000 1000 -
      exec f`,
  });
}

function sizeCases(): ConformanceCase[] {
  return defineCases("sizes", {
    "grow and shrink with zeros": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 text -1
      ftruncate 0 2
      ftruncate 0 6
      read 0 10 0 => 6 te%00%00%00%00
      truncate f 10000
      truncate f 3
      write 0 end 20
      read 0 30 0`,
    "beyond 4 GiB, sparse": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 end ${GIB_5} => 3
      read 0 3 ${GIB_5} => 3 end
      read 0 3 ${2 ** 32}
      ftruncate 0 ${2 ** 33 + 1}
      truncate f ${2 ** 40}
      lseek 0 0 SEEK_END => ${2 ** 40}
      lseek 0 0 SEEK_HOLE
      lseek 0 0 SEEK_DATA => ${GIB_5}
      ftruncate 0 ${GIB_5 + 1}
      read 0 3 ${GIB_5} => 1 e
      ftruncate 0 5`,
    "do not wrap around": `
      open 0 f O_CREAT|O_RDWR 0644
      open 1 f O_RDWR 0
      open 2 f O_RDONLY|O_DIRECT 0
      write 0 text 0
      write 0 x 0x20000000000001 => EFBIG
      write 1 x 0x20000000000001 => EFBIG
      write 1 x 0x7ffffffffffffffe => EFBIG
      read 1 4 0x20000000000001 => 0
      read 2 4096 0x40000000000000 => 0
      read 0 10 0 => 4 text`,
    "beyond what there can be": `
      open 0 f O_CREAT|O_RDWR 0644
      ftruncate 0 -1 => EINVAL
      truncate f -1 => EINVAL
      truncate f 0x7fffffffffffffff => EFBIG
      ftruncate 0 0x7fffffffffffffff => EFBIG
      truncate f 0x20000000000001 => EFBIG
      truncate f 999999999999999 => EFBIG
      write 0 x 0x7ffffffffffffffe => EFBIG
      write 0 x 0x10000000000000 => EFBIG
      fallocate 0 0 0x7fffffffffff0000 0x1000 => EFBIG
      fallocate 0 0 0 0x7fffffffffffffff => EFBIG
      lseek 0 -1 SEEK_SET => EINVAL
      truncate f 5 => 0`,
    "beyond where one can seek":
      "open 0 f O_CREAT|O_RDWR 0644\nlseek 0 0x7fffffffffffffff SEEK_SET",
    "of what is no file": `
      mkdir d 0755
      truncate d 0 => EISDIR
      mkfifo p 0644
      truncate p 0 => EINVAL
      symlink none l
      truncate l 0 => ENOENT`,
  });
}

function allocationCases(): ConformanceCase[] {
  const modes = [
    "0",
    "FALLOC_FL_KEEP_SIZE",
    "FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE",
    "FALLOC_FL_ZERO_RANGE",
    "FALLOC_FL_ZERO_RANGE|FALLOC_FL_KEEP_SIZE",
    "FALLOC_FL_PUNCH_HOLE",
    "0x80",
  ];
  const texts: Record<string, string> = {};
  for (const mode of modes) {
    texts[`mode ${mode}`] = `
      ${FOUR_BLOCKS}
      fallocate 0 ${mode} 4096 8192
      read 0 8 4090
      fallocate 0 ${mode} 100 200
      read 0 8 296
      fallocate 0 ${mode} 16000 4096
      fallocate 0 ${mode} 0 0 => EINVAL
      fallocate 0 ${mode} -1 10 => EINVAL
      fallocate 0 ${mode} 0 -1 => EINVAL
      close 0
      open 0 f O_RDONLY 0
      read 0 8 4090`;
  }
  return defineCases("fallocate", {
    ...texts,
    "taking a range out": `${FOUR_BLOCKS}\nfallocate 0 FALLOC_FL_COLLAPSE_RANGE 4096 4096\nread 0 8 4092`,
    "putting a range in": `${FOUR_BLOCKS}\nfallocate 0 FALLOC_FL_INSERT_RANGE 4096 4096\nread 0 8 4092`,
    "of what is no file": `
      mkfifo p 0644
      open 0 p O_RDWR 0
      fallocate 0 0 0 10 => ESPIPE
      open 1 . O_RDONLY 0
      fallocate 1 0 0 10 => EBADF`,
    posix_fallocate: `
      open 0 f O_CREAT|O_RDWR 0644
      posix_fallocate 0 0 10
      posix_fallocate 0 100 1
      posix_fallocate 0 0 0 => EINVAL
      posix_fallocate 0 -1 10 => EINVAL
      write 0 x -1
      posix_fallocate 0 0 5
      open 1 f O_RDONLY 0
      posix_fallocate 1 0 10 => EBADF`,
  });
}

function rangeCases(): ConformanceCase[] {
  return defineCases("ranges", {
    "of data and holes": `
      open 0 f O_CREAT|O_RDWR 0644
      ftruncate 0 1048576
      fill 0 x 4096 65536
      fill 0 y 4096 524288
      lseek 0 0 SEEK_DATA => 65536
      lseek 0 65536 SEEK_HOLE => 69632
      lseek 0 69632 SEEK_DATA => 524288
      lseek 0 524290 SEEK_DATA => 524290
      lseek 0 530000 SEEK_DATA => ENXIO
      lseek 0 530000 SEEK_HOLE => 530000
      lseek 0 1048576 SEEK_HOLE => ENXIO
      lseek 0 -1 SEEK_DATA => ENXIO
      lseek 0 0 SEEK_CUR
      close 0
      open 0 f O_RDONLY 0
      lseek 0 0 SEEK_DATA => 65536
      lseek 0 0 9 => EINVAL`,
    "that are copied": `
      ${FOUR_BLOCKS}
      open 1 g O_CREAT|O_RDWR 0644
      copy 0 0 1 0 16384 => 16384
      copy 0 4000 1 100 200 => 200
      read 1 10 95
      copy 0 16000 1 20000 4096 => 384
      copy 0 20000 1 0 10 => 0
      copy 0 0 0 8192 4096 => 4096
      copy 0 0 0 100 4096 => EINVAL
      read 0 4 8190
      open 2 g O_RDONLY 0
      copy 0 0 2 0 10 => EBADF
      open 2 g O_WRONLY|O_APPEND 0
      copy 0 0 2 0 10 => EBADF
      mkdir d 0755
      open 2 d O_RDONLY 0
      copy 2 0 1 0 10 => EISDIR
      close 1
      stat g`,
  });
}

function mappingCases(): ConformanceCase[] {
  return defineCases("mappings", {
    "that are shared are the file": `
      open 0 f O_CREAT|O_RDWR 0644
      fill 0 a 8192 0
      mmap 0 0 8192 PROT_READ|PROT_WRITE MAP_SHARED 0
      map-write 0 10 hello
      read 0 7 9 => 7 ahelloa
      write 0 again 4096
      map-read 0 4096 6 => againa
      2:open 0 f O_RDONLY 0
      2:mmap 0 0 8192 PROT_READ MAP_SHARED 0
      map-write 0 20 shared
      2:map-read 0 20 6 => shared
      2:read 0 6 20 => 6 shared
      msync 0
      close 0
      map-write 0 30 later
      munmap 0
      2:read 0 5 30 => 5 later`,
    "that are private stay apart": `
      open 0 f O_CREAT|O_RDWR 0644
      fill 0 a 4096 0
      mmap 0 0 4096 PROT_READ|PROT_WRITE MAP_PRIVATE 0
      map-write 0 0 mine
      read 0 4 0 => 4 aaaa
      map-read 0 0 5 => minea
      open 1 f O_RDONLY 0
      mmap 1 1 4096 PROT_READ|PROT_WRITE MAP_PRIVATE 0 => 0
      mmap 2 1 4096 PROT_READ|PROT_WRITE MAP_SHARED 0 => EACCES
      open 2 f O_WRONLY 0
      mmap 2 2 4096 PROT_READ MAP_SHARED 0 => EACCES`,
    "move the time of a file": `
      open 0 f O_CREAT|O_RDWR 0644
      fill 0 a 4096 0
      close 0
      utimens f 1000000000 1000000000 0
      open 0 f O_RDWR 0
      mmap 0 0 4096 PROT_READ|PROT_WRITE MAP_SHARED 0
      close 0
      map-write 0 0 new
      msync 0
      munmap 0`,
    "outlive the name": `
      open 0 f O_CREAT|O_RDWR 0644
      fill 0 a 4096 0
      mmap 0 0 4096 PROT_READ|PROT_WRITE MAP_SHARED 0
      close 0
      unlink f
      map-write 0 0 new
      map-read 0 0 4 => newa
      munmap 0`,
    "see a file grow": `
      open 0 f O_CREAT|O_RDWR 0644
      ftruncate 0 4096
      mmap 0 0 8192 PROT_READ|PROT_WRITE MAP_SHARED 0
      fill 0 b 4096 4096
      map-read 0 4096 3 => bbb
      map-write 0 4096 ccc
      ftruncate 0 4097
      read 0 10 4090`,
  });
}

function signalCases(): ConformanceCase[] {
  return defineCases("signals", {
    "do not end the synchronization of a file": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 text -1
      fsync-signalled 0 50 => 0`,
    "do not end that of a directory": `
      mkdir d 0755
      open 0 d O_RDONLY 0
      fsync-signalled 0 50 => 0`,
  });
}

/** Open files and their data. */
export function dataCases(): ConformanceCase[] {
  return [
    ...openCases(),
    ...sizeCases(),
    ...allocationCases(),
    ...rangeCases(),
    ...mappingCases(),
    ...signalCases(),
  ];
}
