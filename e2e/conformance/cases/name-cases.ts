import { type ConformanceCase, defineCases } from "../conformance-case.ts";

/** Calls that take a path, each with the path filled in; `spare` and `file` are what they need besides. */
export const CALLS: Readonly<Record<string, (path: string) => string>> = {
  chmod: (path) => `chmod ${path} 0640`,
  chown: (path) => `chown ${path} 1000 1000`,
  lchown: (path) => `lchown ${path} 1000 1000`,
  mkdir: (path) => `mkdir ${path} 0755`,
  rmdir: (path) => `rmdir ${path}`,
  unlink: (path) => `unlink ${path}`,
  mkfifo: (path) => `mkfifo ${path} 0644`,
  "mknod of a file": (path) => `mknod ${path} S_IFREG|0644 0 0`,
  "mknod of a device": (path) => `mknod ${path} S_IFCHR|0644 1 3`,
  symlink: (path) => `symlink target ${path}`,
  readlink: (path) => `readlink ${path}`,
  "link from": (path) => `link ${path} spare`,
  "link to": (path) => `link file ${path}`,
  "rename from": (path) => `rename ${path} spare`,
  "rename to": (path) => `rename file ${path}`,
  "exchange with": (path) => `renameat2 file ${path} RENAME_EXCHANGE`,
  "rename without replacing to": (path) => `renameat2 file ${path} RENAME_NOREPLACE`,
  "open for reading": (path) => `open 0 ${path} O_RDONLY|O_NONBLOCK 0`,
  "open for writing": (path) => `open 0 ${path} O_WRONLY|O_NONBLOCK 0`,
  "open and make": (path) => `open 0 ${path} O_CREAT|O_RDWR|O_NONBLOCK 0644`,
  "open and make anew": (path) => `open 0 ${path} O_CREAT|O_EXCL|O_RDWR 0644`,
  "open and truncate": (path) => `open 0 ${path} O_TRUNC|O_RDWR|O_NONBLOCK 0`,
  "open without following": (path) => `open 0 ${path} O_NOFOLLOW|O_NONBLOCK 0`,
  "open as a directory": (path) => `open 0 ${path} O_DIRECTORY 0`,
  truncate: (path) => `truncate ${path} 3`,
  utimens: (path) => `utimens ${path} 1000000001 2000000002 0`,
  "utimens without following": (path) => `utimens ${path} 1000000001 now AT_SYMLINK_NOFOLLOW`,
  stat: (path) => `stat ${path}`,
  lstat: (path) => `lstat ${path}`,
  access: (path) => `access ${path} R_OK|W_OK`,
  setxattr: (path) => `setxattr ${path} user.a value 0`,
  getxattr: (path) => `getxattr ${path} user.a 100`,
  removexattr: (path) => `removexattr ${path} user.a`,
  opendir: (path) => `opendir 0 ${path}`,
  exec: (path) => `exec ${path}`,
  chdir: (path) => `chdir ${path}`,
};

const NAME_255 = "n".repeat(255);
const NAME_256 = "n".repeat(256);

/** The longest path that a call takes is 4,095 bytes, with its NUL 4,096. */
const PATH_4095 = `${"./".repeat(2045)}d/fil`;
const PATH_4096 = `${"./".repeat(2046)}d/fi`;

const NO_TEXT = "%ff%fe-%c3";

/** What may be wrong with a path, whatever is done with it. */
const WRONG_PATHS: Readonly<Record<string, string>> = {
  "below a file": "file/x",
  "of a file with a slash after it": "file/",
  "of nothing": "none",
  "below nothing": "none/x",
  "of nothing with a slash after it": "none/",
  "of a directory with a slash after it": "d/",
  "with a name of 255 bytes": NAME_255,
  "with a name of 256 bytes": NAME_256,
  "below a name of 256 bytes": `${NAME_256}/x`,
  "of 4,095 bytes": PATH_4095,
  "of 4,096 bytes": PATH_4096,
  "of symlinks in a circle": "loop",
  "below symlinks in a circle": "loop/x",
  "of a symlink to nothing": "dangling",
  "of a symlink to a directory with a slash after it": "to-d/",
  "of the directory itself": ".",
  "of its parent": "d/..",
  "of a name with blanks": "%20 %0a%09".replace(" ", ""),
};

function wrongPathCases(): ConformanceCase[] {
  const texts: Record<string, string> = {};
  for (const [what, call] of Object.entries(CALLS)) {
    // One case for each call: what it makes by the way is taken away again.
    const steps = Object.values(WRONG_PATHS).flatMap((path) => [call(path)]);
    texts[what] = `
      mknod file S_IFREG|0644 0 0
      mkdir d 0755
      symlink loop2 loop
      symlink loop loop2
      symlink none dangling
      symlink d to-d
      ${steps.join("\n")}`;
  }
  return [
    ...defineCases("paths that lead nowhere, or are too long", texts),
    ...defineCases("names", {
      "that are no text": `
        mknod file S_IFREG|0644 0 0
        ${Object.values(CALLS)
          .map((call) => call(NO_TEXT))
          .join("\n")}`,
    }),
  ];
}

/** Ways to make something of each kind. */
export const KINDS: Readonly<Record<string, (name: string) => string>> = {
  "a file": (name) => `mknod ${name} S_IFREG|0644 0 0`,
  "a directory": (name) => `mkdir ${name} 0755`,
  "a symlink to a file": (name) => `symlink target ${name}`,
  "a symlink to nothing": (name) => `symlink none ${name}`,
  "a FIFO": (name) => `mkfifo ${name} 0644`,
  "a socket": (name) => `mknod ${name} S_IFSOCK|0644 0 0`,
  "a device": (name) => `mknod ${name} S_IFBLK|0644 7 250`,
};

function kindCases(): ConformanceCase[] {
  const texts: Record<string, string> = {};
  for (const [what, call] of Object.entries(CALLS)) {
    for (const [kind, make] of Object.entries(KINDS)) {
      // What a device answers is the device's business.
      if (kind === "a device" && /^(open|truncate)/.test(what) && what !== "open as a directory")
        continue;
      texts[`${what} ${kind}`] = `
        mknod file S_IFREG|0644 0 0
        mknod target S_IFREG|0755 0 0
        ${make("it")}
        ${call("it")}`;
    }
  }
  return defineCases("kinds", texts);
}

function renameCases(): ConformanceCase[] {
  const texts: Record<string, string> = {};
  for (const [from, makeFrom] of Object.entries(KINDS)) {
    for (const [to, makeTo] of Object.entries(KINDS)) {
      texts[`${from} and ${to}`] = `
        mkdir a 0755
        mkdir b 0755
        ${makeFrom("a/from")}
        ${makeTo("b/to")}
        renameat2 a/from b/to RENAME_NOREPLACE => EEXIST
        renameat2 a/from b/to RENAME_EXCHANGE => 0
        rename a/from b/to`;
    }
  }
  return defineCases("rename", {
    ...texts,
    "into a directory below":
      "mkdir a 0755\nmkdir a/b 0755\nrename a a/b/c => EINVAL\nrename a a/b => EINVAL",
    "over a directory above":
      "mkdir a 0755\nmkdir a/b 0755\nmkdir a/b/c 0755\nrename a/b/c a => ENOTEMPTY",
    "exchange with a directory above": `
      mkdir a 0755
      mkdir a/b 0755
      renameat2 a a/b RENAME_EXCHANGE => EINVAL
      renameat2 a/b a RENAME_EXCHANGE => EINVAL`,
    "over a directory that is not empty": `
      mkdir a 0755
      mkdir b 0755
      mknod b/f S_IFREG|0644 0 0
      rename a b => ENOTEMPTY
      unlink b/f
      rename a b => 0`,
    "two names of one file": `
      mknod a S_IFREG|0644 0 0
      link a b
      rename a b => 0
      renameat2 a b RENAME_EXCHANGE => 0
      renameat2 a b RENAME_NOREPLACE => EEXIST
      lstat a => file 0644 0:0 nlink=2 size=0`,
    "to itself": "mknod a S_IFREG|0644 0 0\nrename a a => 0\nmkdir d 0755\nrename d d => 0",
    "a directory to another parent moves its link": `
      mkdir a 0755
      mkdir b 0755
      mkdir a/d 0755
      rename a/d b/d => 0
      rename b/d b/e => 0
      stat a
      stat b`,
    "a directory for a file moves its link": `
      mkdir a 0755
      mkdir b 0755
      mkdir a/d 0755
      mknod b/f S_IFREG|0644 0 0
      renameat2 a/d b/f RENAME_EXCHANGE => 0`,
    "full directories for each other": `
      mkdir a 0755
      mkdir b 0700
      mknod a/x S_IFREG|0644 0 0
      mkdir a/y 0755
      mknod b/z S_IFREG|0644 0 0
      open 0 a/x O_RDWR 0
      renameat2 a b RENAME_EXCHANGE => 0
      write 0 text -1
      close 0
      lstat b/x
      renameat2 a b RENAME_EXCHANGE => 0`,
    "two files with content for each other, while they are open": `
      open 0 a O_CREAT|O_RDWR 0644
      write 0 one -1
      open 1 b O_CREAT|O_RDWR 0600
      write 1 other -1
      renameat2 a b RENAME_EXCHANGE => 0
      write 0 +more -1
      write 1 +more -1
      close 0
      close 1
      renameat2 b a RENAME_EXCHANGE => 0`,
    "with flags that exclude each other": `
      mknod a S_IFREG|0644 0 0
      mknod b S_IFREG|0644 0 0
      renameat2 a b RENAME_EXCHANGE|RENAME_NOREPLACE => EINVAL
      renameat2 a b 0x80 => EINVAL
      renameat2 a none RENAME_EXCHANGE => ENOENT`,
    "with a whiteout left behind": "mknod a S_IFREG|0644 0 0\nrenameat2 a b RENAME_WHITEOUT",
    "the file that is saved over an open one": `
      open 0 f O_CREAT|O_RDWR 0644
      write 0 old -1
      open 1 f.tmp O_CREAT|O_RDWR 0600
      write 1 newer -1
      note-ino 0
      note-ino 1
      rename f.tmp f => 0
      same-fd 1 f => 1
      same-fd 0 f => 0
      same-ino 0 => 1
      same-ino 1 => 1
      read 0 10 0 => 3 old
      fstat 0
      write 0 x -1
      close 0`,
  });
}

function linkCases(): ConformanceCase[] {
  return defineCases("link", {
    "counts names": `
      mknod a S_IFREG|0644 0 0
      mkdir d 0755
      link a b => 0
      link b d/c => 0
      same a d/c => 1
      chmod b 0600
      stat a => file 0600 0:0 nlink=3 size=0
      unlink a => 0
      stat d/c => file 0600 0:0 nlink=2 size=0
      rename d/c b => 0
      link b b => EEXIST`,
    "to a directory": "mkdir d 0755\nlink d e => EPERM",
    "to a symlink is of the symlink": `
      symlink none l
      link l m => 0
      readlink m => none`,
    "writes go to all names": `
      open 0 a O_CREAT|O_RDWR 0644
      link a b
      write 0 text -1
      stat b => file 0644 0:0 nlink=2 size=4
      close 0
      truncate b 1
      stat a => file 0644 0:0 nlink=2 size=1
      utimens a 5000000006 7000000008 0
      setxattr b user.k v 0
      getxattr a user.k 10 => 1 v`,
    "of a file without a name": `
      open 0 f O_CREAT|O_RDWR 0644
      unlink f
      link-fd 0 g => ENOENT`,
    "by descriptor": "open 0 f O_CREAT|O_RDWR 0644\nlink-fd 0 g => 0\nsame f g => 1",
  });
}

function directoryCases(): ConformanceCase[] {
  return defineCases("directories", {
    "count their subdirectories": `
      mkdir d 0755
      stat d => dir 0755 0:0 nlink=2
      mkdir d/a 0755
      mkdir d/b 0755
      mknod d/f S_IFREG|0644 0 0
      stat d => dir 0755 0:0 nlink=4
      rmdir d/a
      stat d => dir 0755 0:0 nlink=3`,
    "are removed when they are empty": `
      mkdir d 0755
      mknod d/f S_IFREG|0644 0 0
      rmdir d => ENOTEMPTY
      unlink d => EISDIR
      unlink d/f => 0
      rmdir d/. => EINVAL
      rmdir d/.. => ENOTEMPTY
      rmdir d => 0`,
    "move their times with their entries": `
      mkdir d 0755
      utimens d 1000000000 1000000000 0
      mknod d/f S_IFREG|0644 0 0
      utimens d 1000000000 1000000000 0
      link d/f d/g
      utimens d 1000000000 1000000000 0
      chmod d/f 0600
      rename d/g d/h
      utimens d 1000000000 1000000000 0
      unlink d/h
      utimens d 1000000000 1000000000 0
      symlink x d/l
      utimens d 1000000000 1000000000 0
      rename d/l l`,
    "hold all names but two": `
      mkdir %20 0755
      mkdir ... 0755
      mkdir %5c 0755
      mkdir %0a 0755
      mkdir -rf 0755
      mkdir %e6%96%87%e4%bb%b6 0755
      mkdir .intermezzo 0755
      mkdir .izo-conflicts 0755
      mkdir a%00b 0755
      mkdir con 0755
      mkdir a:b 0755
      mkdir ${"%c3%bc".repeat(127)}u 0755
      mkdir ${"%c3%bc".repeat(128)} 0755 => ENAMETOOLONG`,
  });
}

function symlinkCases(): ConformanceCase[] {
  return defineCases("symlink", {
    "keeps any target": `
      symlink / a
      symlink b%20c b
      symlink ${"t".repeat(255)}/${"u".repeat(300)} c
      symlink ${"t/".repeat(2047)}t d
      symlink ${"t/".repeat(2048)} e => ENAMETOOLONG
      readlink d
      lstat d`,
    "is followed or not": `
      symlink f l
      open 0 l O_CREAT|O_RDWR 0644 => 0
      write 0 text -1
      close 0
      stat l => file 0644 0:0 nlink=1 size=4
      lstat l => link 0777 0:0 nlink=1 size=1
      open 0 l O_CREAT|O_EXCL|O_RDWR 0644 => EEXIST
      open 0 l O_NOFOLLOW 0 => ELOOP
      chown l 1 2
      lchown l 3 4
      chmod l 0600
      unlink l`,
    "through forty others": `
      mknod f S_IFREG|0644 0 0
      symlink f l0
      ${Array.from({ length: 41 }, (_, index) => `symlink l${index} l${index + 1}`).join("\n")}
      stat l39
      stat l40 => ELOOP
      stat l41 => ELOOP`,
  });
}

/** Names: looking them up, making, moving and removing them. */
export function nameCases(): ConformanceCase[] {
  return [
    ...wrongPathCases(),
    ...kindCases(),
    ...renameCases(),
    ...linkCases(),
    ...directoryCases(),
    ...symlinkCases(),
  ];
}
