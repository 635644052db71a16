import { type ConformanceCase, defineCases } from "../conformance-case.ts";
import { CALLS } from "./name-cases.ts";

/** User 1000 of group 1000; 2000 likewise; 3000 is in group 1000 by a supplementary group only. */
const OWNER = "as 1000 1000 -";
const OTHER = "as 2000 2000 -";
const MEMBER = "as 3000 3000 5000,1000";
const ROOT = "as 0 0 -";

const CALLERS: Readonly<Record<string, string>> = { owner: OWNER, other: OTHER, member: MEMBER };

function directoryRights(): ConformanceCase[] {
  const texts: Record<string, string> = {};
  for (const [what, call] of Object.entries(CALLS)) {
    const steps = ["0444", "0111", "0333", "01770"].flatMap((mode) => [
      ROOT,
      `chmod d ${mode}`,
      ...[OWNER, OTHER, MEMBER].flatMap((caller) => [caller, call("d/it"), call("d/new")]),
    ]);
    texts[what] = `
      mknod file S_IFREG|0666 0 0
      chmod . 0777
      mkdir d 0777
      chown d 1000 1000
      mknod d/it S_IFREG|0664 0 0
      chown d/it 2000 1000
      ${steps.join("\n")}`;
  }
  return defineCases("rights in a directory", texts);
}

function fileRights(): ConformanceCase[] {
  const texts: Record<string, string> = {};
  for (const [name, caller] of Object.entries(CALLERS)) {
    const steps = ["0000", "0400", "0200", "0100", "0060", "0006", "0077"].flatMap((mode) => [
      `chmod f ${mode}`,
      caller,
      "open 0 f O_RDONLY 0",
      "open 0 f O_WRONLY 0",
      "open 0 f O_RDWR 0",
      "open 0 f O_RDONLY|O_TRUNC 0",
      "open 0 f O_RDONLY|O_NOATIME 0",
      "truncate f 2",
      "exec f",
      "access f X_OK",
      "access f R_OK|W_OK",
      "utimens f now now 0",
      "utimens f 1000000000 now 0",
      "setxattr f user.a 1 0",
      "getxattr f user.a 10",
      "removexattr f user.a",
      "link f g",
      ROOT,
      "unlink g",
    ]);
    texts[name] = `
      chmod . 0777
      mknod f S_IFREG|0777 0 0
      chown f 1000 1000
      ${steps.join("\n")}`;
  }
  return defineCases("rights of a file", texts);
}

function ownerCases(): ConformanceCase[] {
  return defineCases("owners", {
    "change by root only, groups by their members": `
      chmod . 0777
      mknod f S_IFREG|0664 0 0
      chown f 3000 3000
      ${MEMBER}
      chown f 3000 1000 => 0
      chown f -1 5000 => 0
      chown f -1 2000 => EPERM
      chown f 2000 -1 => EPERM
      chown f 3000 -1 => 0
      chmod f 0600 => 0
      ${OTHER}
      chown f -1 -1
      chown f 3000 5000
      chown f -1 2000 => EPERM
      chmod f 0777 => EPERM
      utimens f 1000000000 1000000000 0 => EPERM
      ${ROOT}
      chown f 7 8
      open 0 f O_RDWR 0
      fchown 0 9 10
      fchmod 0 0640
      fchown 0 -1 -1`,
    "of new entries are the caller's": `
      chmod . 0777
      ${MEMBER}
      mkdir d 0777
      mknod f S_IFREG|0666 0 0
      mkfifo p 0666
      symlink x l
      open 0 g O_CREAT|O_RDWR 0666
      open 1 o O_CREAT|O_WRONLY 0000 => 0
      write 1 text -1 => 4
      open 2 o O_RDONLY 0 => EACCES`,
    "of entries in a set-group-ID directory are its group": `
      mkdir d 02777
      chown d 1000 1000
      chmod d 02777
      ${OTHER}
      mkdir d/sub 0755
      mknod d/f S_IFREG|02755 0 0
      open 0 d/g O_CREAT|O_RDWR 02775
      mkfifo d/p 0644
      symlink x d/l
      ${MEMBER}
      open 0 d/h O_CREAT|O_RDWR 02775
      mkdir d/sub/sub 02755
      chmod d/h 02775
      ${OTHER}
      chmod d/g 02775`,
    "of devices: only root makes them": `
      chmod . 0777
      ${OTHER}
      mknod c S_IFCHR|0666 1 3 => EPERM
      mknod b S_IFBLK|0666 7 9 => EPERM
      mknod p S_IFIFO|0666 0 0 => 0
      mknod s S_IFSOCK|0666 0 0 => 0
      mknod r S_IFREG|0666 0 0 => 0
      mknod d S_IFDIR|0666 0 0 => EPERM
      ${ROOT}
      mknod c S_IFCHR|0666 1 3 => 0
      mknod b S_IFBLK|0660 4095 1048575 => 0
      lstat b`,
  });
}

function stickyCases(): ConformanceCase[] {
  const texts: Record<string, string> = {};
  const what: Readonly<Record<string, string>> = {
    unlink: "unlink d/it",
    rename: "rename d/it d/moved",
    "rename away": "rename d/it out/moved",
    "rename over": "rename mine/it d/it",
    exchange: "renameat2 mine/it d/it RENAME_EXCHANGE",
  };
  for (const [name, call] of Object.entries(what)) {
    for (const [kind, make] of Object.entries({
      file: "mknod X S_IFREG|0666 0 0",
      directory: "mkdir X 0777",
    })) {
      texts[`${name} of a ${kind}`] = [
        ["0 0 0", "3000", "1000"],
        ["0 1000 0", "3000", "1000"],
        ["0 2000 0", "2000", "3000"],
      ]
        .map(
          ([, owner, directoryOwner], index) => `
        ${ROOT}
        mkdir r${index} 0777
        chdir r${index}
        mkdir d 0777
        mkdir out 0777
        mkdir mine 0777
        ${make.replace("X", "d/it")}
        ${make.replace("X", "mine/it")}
        lchown d/it ${owner} ${owner}
        lchown mine/it 2000 2000
        lchown d ${directoryOwner} 0
        chmod d 01777
        ${OTHER}
        ${call}
        ${MEMBER}
        ${call}
        ${OWNER}
        ${call}
        ${ROOT}
        chdir ..`,
        )
        .join("\n");
    }
  }
  return defineCases("sticky directories", texts);
}

function setIdCases(): ConformanceCase[] {
  const changes: Readonly<Record<string, string>> = {
    write: "open 0 f O_WRONLY 0\nwrite 0 x -1\nclose 0",
    "write of nothing": "open 0 f O_WRONLY 0\nwrite 0 %00 0\nclose 0",
    truncate: "truncate f 1",
    "truncate to the same size": "truncate f 4",
    ftruncate: "open 0 f O_RDWR 0\nftruncate 0 2\nclose 0",
    "open with O_TRUNC": "open 0 f O_WRONLY|O_TRUNC 0\nclose 0",
    fallocate: "open 0 f O_RDWR 0\nfallocate 0 0 0 9000\nclose 0",
    "punching a hole":
      "open 0 f O_RDWR 0\nfallocate 0 FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 0 2\nclose 0",
    "reading only": "open 0 f O_RDONLY 0\nread 0 3 0\nclose 0",
    "chown to nobody else": "chown f -1 -1",
    "chgrp to another group": "chown f -1 1000",
    chmod: "chmod f 06755",
    utimens: "utimens f now now 0",
    setxattr: "setxattr f user.a 1 0",
    link: "link f g",
    rename: "rename f g",
    "copying into it": "open 0 f O_RDWR 0\nopen 1 source O_RDONLY 0\ncopy 1 0 0 0 3\nclose 0",
  };
  const texts: Record<string, string> = {};
  for (const [name, change] of Object.entries(changes)) {
    const rounds = ["06777", "02767"].flatMap((mode) =>
      [ROOT, "as 3000 3000 1000", "as 4000 4000 -"].map(
        (caller) => `
        ${ROOT}
        unlink f
        unlink g
        open 3 f O_CREAT|O_RDWR 0666
        write 3 text -1
        close 3
        chown f 3000 3000
        chmod f ${mode}
        ${caller}
        ${change}`,
      ),
    );
    texts[name] = `
      chmod . 0777
      open 3 source O_CREAT|O_RDWR 0666
      write 3 source -1
      close 3
      ${rounds.join("\n")}`;
  }
  return defineCases("set-ID bits after", {
    ...texts,
    "chown of a directory stay": `
      mkdir d 06777
      chmod d 06777
      chown d 1000 1000
      chown d -1 -1
      chown d -1 2000`,
    "chown of somebody else's directory to nobody stay": `
      mkdir d 06777
      chmod d 06777
      as 1000 1000 -
      chown d -1 -1`,
  });
}

function umaskCases(): ConformanceCase[] {
  return defineCases("umask", {
    "takes bits away from what is made": `
      umask 027
      mkdir d 0777
      mknod f S_IFREG|0777 0 0
      mkfifo p 0666
      open 0 g O_CREAT|O_RDWR 0666
      bind 1 s
      symlink x l
      umask 0777
      open 0 h O_CREAT|O_RDWR 0666
      mkdir e 0777
      chmod h 0666`,
  });
}

/** Who may do what, and what becomes of modes and owners. */
export function rightCases(): ConformanceCase[] {
  return [
    ...directoryRights(),
    ...fileRights(),
    ...ownerCases(),
    ...stickyCases(),
    ...setIdCases(),
    ...umaskCases(),
  ];
}
