import type { Name } from "@izo/core";

import type { FileSystem, NodeId } from "../file-system.ts";
import type { DirectoryNumbers } from "./directory-numbers.ts";
import type { KnownNodes } from "./known-nodes.ts";
import type { OpenFiles } from "./open-files.ts";
import type { ReplyMessage } from "./reply-message.ts";
import type { RequestMessage } from "./request-message.ts";

/** No answer is sent: the kernel expects none. No errno is as large. */
export const SILENT = -1_000_000;

/** Writes the body of an answer; its length in bytes. */
export type WriteBody = (reply: ReplyMessage) => number;

/**
 * What answers requests of one kind: the length of the body that it has written into `reply`, or
 * {@link SILENT}, or a negative errno: what is asked for often and mostly is not there is cheaper to answer
 * than to throw. What has to wait answers with what will write the body; by then the buffers hold other
 * messages, so it must have taken all that it needs out of `request` before.
 */
export type Handler = (
  request: RequestMessage,
  reply: ReplyMessage,
) => number | Promise<WriteBody> | IdleWork;

/**
 * What nobody waits for, and so is done when nobody asks: what it gives is the answer, as of a
 * {@link Handler}.
 */
export type IdleWork = () => number;

/** Handlers by opcode. */
export type Handlers = Readonly<Record<number, Handler>>;

/** What the handlers of one mount share. */
export interface HandlerContext {
  readonly fileSystem: FileSystem;
  readonly known: KnownNodes;
  readonly directories: DirectoryNumbers;
  readonly files: OpenFiles;
  /** The kernel shall not believe the attributes any more that it has of a node. Never waits. */
  readonly onVolatile: (node: NodeId) => void;
  /**
   * A program has changed a directory under one of its numbers, as the kernel knows: the name, if it is one, or the
   * attributes. Where the kernel has it under others, they are told.
   */
  readonly onChanged: (number: number, name?: Name) => void;
  /** See `DirectoryNumbersOptions`. */
  readonly onFurther: (parent: number, name: Name) => void;
  /** Does now what nobody waits for: files that were closed are closed then. Before the answer is begun. */
  readonly finishIdleWork: () => void;
  /** SETXATTR has its long form; agreed on at the start. */
  hasSetxattrFlags: boolean;
  /** Content that is arriving can be read, and mapped; agreed on at the start. */
  servesArriving: boolean;
  /** Resolves when no notification about pages of a node is under way any more. */
  readonly pagesSettled: (node: NodeId) => Promise<void>;
}

/** The body of an answer that says only that it was done. */
export const EMPTY_BODY: WriteBody = () => 0;
