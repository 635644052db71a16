/** Operations on names and directories: mknod, mkdir, symlink, link, unlink, rmdir, rename, readdir. */
import { constants } from "node:fs";

import type { Name } from "@izo/core";

import type { Caller, NodeId } from "../file-system.ts";
import type { Operations } from "./fuse-native-binding.ts";
import { isRenaming } from "./hidden-names.ts";
import { fromKernel, toKernel, toListing } from "./kernel-names.ts";
import type { Requests } from "./request.ts";

/** linux/fs.h */
const renameExchange = 2;

export function nameOperations(requests: Requests) {
  const { fileSystem, handles, hidden, keptPages, paths } = requests;

  /** The binding asks for the new entry with a look-up of its own. */
  function make(path: string, work: (parent: NodeId, name: Name, caller: Caller) => NodeId): void {
    const { parent, name } = paths.place(path);
    fileSystem.forget(work(parent, name, requests.caller()));
  }

  function unlink(path: string): void {
    if (hidden.reveal(path)) return;
    const { parent, name } = paths.place(path);
    fileSystem.unlink(parent, name, requests.caller());
    keptPages.drop(path);
  }

  function rename(from: string, to: string, flags: number): void {
    if (hidden.isHiding(from, to, flags, handles.at(from))) return hide(from, to);
    const source = paths.place(from);
    const target = paths.place(to);
    fileSystem.rename(
      source.parent,
      source.name,
      target.parent,
      target.name,
      flags,
      requests.caller(),
    );
    const isExchange = (flags & renameExchange) !== 0;
    paths.move(from, to, isExchange);
    handles.move(from, to, isExchange);
    keptPages.dropAll();
  }

  function hide(path: string, hiddenPath: string): void {
    // Replaced by a rename: the file system sees that rename only, and it is one step.
    if (!isRenaming(requests.caller())) unlink(path);
    const [handle] = handles.at(path);
    if (handle !== undefined) hidden.hide(hiddenPath, handle);
    handles.move(path, hiddenPath, false);
  }

  return {
    mknod(path, mode, rdev, reply) {
      requests.answer(reply, () =>
        make(path, (parent, name, caller) =>
          fileSystem.mknod(parent, name, mode, Number(rdev), caller),
        ),
      );
    },
    mkdir(path, mode, reply) {
      requests.answer(reply, () =>
        make(path, (parent, name, caller) => fileSystem.mkdir(parent, name, mode, caller)),
      );
    },
    symlink(target, path, reply) {
      requests.answer(reply, () =>
        make(path, (parent, name, caller) =>
          fileSystem.symlink(parent, name, fromKernel(target), caller),
        ),
      );
    },
    readlink(path, reply) {
      requests.answer(reply, () =>
        requests.with(path, ({ node }) => toKernel(fileSystem.readlink(node))),
      );
    },
    link(path, newPath, reply) {
      requests.answer(reply, () => {
        const caller = requests.caller();
        const { parent, name } = paths.place(newPath);
        requests.with(path, ({ node }) => fileSystem.link(node, parent, name, caller));
      });
    },
    unlink(path, reply) {
      requests.answer(reply, () => unlink(path));
    },
    rmdir(path, reply) {
      requests.answer(reply, () => {
        const { parent, name } = paths.place(path);
        fileSystem.rmdir(parent, name, requests.caller());
        paths.drop(path);
      });
    },
    renameWithFlags(from, to, flags, reply) {
      requests.answer(reply, () => rename(from, to, flags));
    },
    opendir(path, _flags, reply) {
      requests.answer(reply, () => {
        return handles.add(requests.acquire(path), noDescriptor, path).id;
      });
    },
    readdir(_path, reply) {
      // One answer for the whole directory: libfuse keeps it and serves the kernel's pages from it.
      const complete = (errno: number, all?: Listing) => reply(errno, all?.names, all?.stats);
      requests.answer(complete, () => listDirectory(requests, requests.contextHandle().node));
    },
    releasedir(_path, handle, reply) {
      requests.answer(reply, () => {
        requests.close(handles.get(handle));
      });
    },
    fsyncdir(_path, dataOnly, handle, reply) {
      requests.answer(reply, () => fileSystem.fsyncdir(handles.get(handle).node, dataOnly));
    },
  } satisfies Operations;
}

/** Directories are listed by node; no descriptor is held for them. */
const noDescriptor = -1;

interface Listing {
  readonly names: string[];
  readonly stats: { mode: number }[];
}

function listDirectory({ fileSystem }: Requests, node: NodeId): Listing {
  const names = [".", ".."];
  const stats = [{ mode: constants.S_IFDIR }, { mode: constants.S_IFDIR }];
  for (const { name, type } of fileSystem.readdir(node)) {
    names.push(toListing(name));
    stats.push({ mode: type });
  }
  return { names, stats };
}
