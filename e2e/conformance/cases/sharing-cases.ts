import { type ConformanceCase, defineCases } from "../conformance-case.ts";

function lockCases(): ConformanceCase[] {
  const opened = "1:open 0 f O_CREAT|O_RDWR 0644\n2:open 0 f O_RDWR 0";
  return defineCases("locks", {
    "of whole files": `
      ${opened}
      1:flock 0 LOCK_SH => 0
      2:flock 0 LOCK_SH => 0
      2:flock 0 LOCK_EX => EAGAIN
      1:flock 0 LOCK_UN => 0
      2:flock 0 LOCK_EX => 0
      1:flock 0 LOCK_SH => EAGAIN
      2:close 0
      1:flock 0 LOCK_EX => 0
      1:open 1 f O_RDONLY 0
      1:flock 1 LOCK_SH => EAGAIN
      1:close 0
      1:flock 1 LOCK_EX => 0`,
    "of ranges, by process": `
      ${opened}
      1:lock 0 F_SETLK F_WRLCK 10 10 => 0
      2:lock 0 F_GETLK F_WRLCK 0 0 => exclusive 10 10
      2:lock 0 F_SETLK F_RDLCK 15 1 => EAGAIN
      2:lock 0 F_SETLK F_WRLCK 20 0 => 0
      1:lock 0 F_SETLK F_RDLCK 12 2 => 0
      2:lock 0 F_SETLK F_RDLCK 12 2 => 0
      1:lock 0 F_GETLK F_WRLCK 0 10 => free 0 10
      1:open 1 f O_RDWR 0
      1:close 1
      2:lock 0 F_SETLK F_WRLCK 10 2 => 0
      1:lock 0 F_SETLK F_WRLCK 30 1 => EAGAIN`,
    "of ranges, by open file": `
      ${opened}
      1:open 1 f O_RDWR 0
      1:lock 0 F_OFD_SETLK F_WRLCK 0 10 => 0
      1:lock 1 F_OFD_SETLK F_WRLCK 0 10 => EAGAIN
      2:lock 0 F_SETLK F_WRLCK 5 1 => EAGAIN
      1:lock 1 F_OFD_GETLK F_RDLCK 5 1 => exclusive 0 10
      1:close 1
      2:lock 0 F_SETLK F_WRLCK 5 1 => EAGAIN
      1:close 0
      2:lock 0 F_SETLK F_WRLCK 5 1 => 0`,
    "need what they lock": `
      1:open 0 f O_CREAT|O_WRONLY 0644
      1:lock 0 F_SETLK F_RDLCK 0 0 => EBADF
      1:open 1 f O_RDONLY 0
      1:lock 1 F_SETLK F_WRLCK 0 0 => EBADF
      1:flock 1 LOCK_EX => 0
      1:open 2 . O_RDONLY 0
      1:flock 2 LOCK_EX => 0`,
  });
}

function specialCases(): ConformanceCase[] {
  return defineCases("special files", {
    "a FIFO carries data": `
      mkfifo p 0644
      open 0 p O_WRONLY|O_NONBLOCK 0 => ENXIO
      open 1 p O_RDONLY|O_NONBLOCK 0 => 0
      2:open 0 p O_WRONLY|O_NONBLOCK 0 => 0
      2:write 0 text -1 => 4
      read 1 10 -1 => 4 text
      unlink p
      fstat 1
      2:write 0 more -1 => 4
      read 1 10 -1 => 4 more`,
    "a socket is found by its name": `
      bind 0 s => 0
      bind 1 s => EADDRINUSE
      2:connect 0 s => 0
      open 1 s O_RDWR 0 => ENXIO
      rename s t
      2:connect 1 t => 0
      unlink t
      2:connect 2 t => ENOENT
      mknod u S_IFREG|0644 0 0
      2:connect 2 u => ECONNREFUSED
      chmod . 0777
      bind 3 v
      chmod v 0600
      2:as 1000 1000 -
      2:connect 3 v => EACCES`,
    "a device has its number": `
      mknod c S_IFCHR|0666 1 3
      lstat c => char 0666 0:0 nlink=1 dev=1,3 size=0
      mknod b S_IFBLK|0600 259 70000
      lstat b
      rename c d
      chmod b 0644
      unlink d`,
    "a device is opened": "mknod c S_IFCHR|0666 1 3\nopen 0 c O_RDWR 0\nwrite 0 text -1",
  });
}

function removedCases(): ConformanceCase[] {
  return defineCases("removed while open", {
    "a file goes on": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 text -1
      note-ino 0
      unlink f => 0
      same-ino 0 => 1
      fstat 0 => file 0644 0:0 nlink=0 size=4
      write 0 +more -1 => 5
      read 0 20 0 => 9 text+more
      ftruncate 0 2 => 0
      fchmod 0 0600 => 0
      fchown 0 1 2 => 0
      futimens 0 1000000000 2000000000 => 0
      fstat 0 => file 0600 1:2 nlink=0 size=2
      fallocate 0 0 0 100 => 0
      lseek 0 0 SEEK_DATA => 0
      fsync 0 => 0
      rmdir . => EINVAL
      2:open 0 f O_RDONLY 0 => ENOENT`,
    "a file without attributes keeps them": `
      open 0 f O_CREAT|O_RDWR 0644
      unlink f
      fsetxattr 0 user.a 1 0`,
    "a file that was only looked at": `
      mknod f S_IFREG|0644 0 0
      open 0 f O_PATH 0
      unlink f
      fstat 0 => file 0644 0:0 nlink=0 size=0`,
    "a file with another name": `
      open 0 f O_CREAT|O_RDWR 0644
      link f g
      unlink f
      fstat 0 => file 0644 0:0 nlink=1 size=0
      write 0 text -1
      unlink g
      fstat 0 => file 0644 0:0 nlink=0 size=4`,
    "a file that was replaced": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 old -1
      open 1 g O_CREAT|O_RDWR 0644
      rename g f
      fstat 0 => file 0644 0:0 nlink=0 size=3
      fstat 1 => file 0644 0:0 nlink=1 size=0
      read 0 9 0 => 3 old`,
    "a directory": `
      mkdir d 0755
      open 0 d O_RDONLY 0
      opendir 1 d
      2:chdir d
      rmdir d => 0
      fstat 0 => dir 0755 0:0 nlink=0
      readdir 1 10
      fsync 0 => 0
      2:open 0 f O_CREAT|O_RDWR 0644 => ENOENT
      2:mkdir x 0755 => ENOENT
      fsetxattr 0 user.a v 0 => 0
      2:getxattr . user.a 100
      2:listxattr .
      2:setxattr . user.a other 0 => 0
      2:removexattr . user.a => 0
      2:getxattr . user.a 100 => ENODATA
      2:stat . => dir 0755 0:0 nlink=0
      2:opendir 1 .
      2:readdir 1 10
      mkdir d 0700
      2:stat . => dir 0755 0:0 nlink=0`,
    "a directory with what was open in it": `
      mkdir d 0755
      open 0 d/f O_CREAT|O_RDWR 0644
      write 0 text -1
      unlink d/f
      rmdir d
      fstat 0 => file 0644 0:0 nlink=0 size=4
      read 0 10 0 => 4 text`,
    "a socket and a symlink": `
      bind 0 s
      open 1 s O_PATH 0
      unlink s
      fstat 1
      symlink x l
      open 2 l O_PATH|O_NOFOLLOW 0
      unlink l
      fstat 2`,
  });
}

function listingCases(): ConformanceCase[] {
  return defineCases("listings", {
    "say what is there": `
      mkdir d 0755
      mknod f S_IFREG|0644 0 0
      symlink f l
      mkfifo p 0644
      mknod s S_IFSOCK|0644 0 0
      mknod c S_IFCHR|0644 1 3
      link f g
      compare-listing . => 0
      compare-listing d => 0
      opendir 0 .
      readdir 0 20`,
    "see what changes from the next start on": `
      populate . 5 a
      opendir 0 .
      readdir 0 20
      mknod new S_IFREG|0644 0 0
      unlink a3
      rewinddir 0
      readdir 0 20`,
    "lose nothing while entries go": `
      mkdir d 0755
      populate d 700 file-with-a-long-name-
      opendir 0 d
      remove-listed 0 d => 700
      rmdir d => 0`,
    "lose nothing while another lists and entries go": `
      mkdir d 0755
      populate d 900 file-with-a-long-name-
      opendir 0 d
      readdir-count 0 2000 => 902
      2:opendir 0 d
      2:readdir-count 0 300 => 300
      populate d 50 another-long-name-
      rewinddir 0
      readdir-count 0 2000 => 952
      2:remove-listed 0 d
      opendir 1 d
      remove-listed 1 d
      opendir 1 d
      readdir-count 1 2000 => 2
      rmdir d => 0`,
    "lead on from each place": `
      mkdir d 0755
      seek-listing d => 0
      populate d 40 file-
      seek-listing d => 0
      mkdir e 0755
      populate e 300 file-with-a-long-name-
      seek-listing e => 0`,
    "are found again at a place": `
      mkdir d 0755
      populate d 400 file-with-a-long-name-
      opendir 0 d
      readdir-count 0 100 => 100
      telldir 0
      readdir-count 0 1000 => 302
      2:opendir 0 d
      2:readdir-count 0 10
      seekdir 0
      readdir-count 0 1000 => 302
      2:unlink d/file-with-a-long-name-1
      2:mknod d/other S_IFREG|0644 0 0
      2:opendir 1 d
      2:readdir-count 1 1000 => 402
      2:rewinddir 1
      2:remove-listed 1 d => 400`,
    "of many names": `
      mkdir d 0755
      populate d 900 n
      compare-listing d => 0
      opendir 0 d
      readdir-count 0 2000 => 902
      rewinddir 0
      remove-listed 0 d => 900`,
  });
}

/** What several open files and processes share, and what is no plain file. */
export function sharingCases(): ConformanceCase[] {
  return [
    ...lockCases(),
    ...specialCases(),
    ...removedCases(),
    ...listingCases(),
    ...defineCases("statvfs", { "of the file system": "statvfs ." }),
  ];
}
