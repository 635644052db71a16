/**
 * Answers what the commands ask a running mount, on the control socket in its cache directory. The worst
 * that a caller can do is to unmount.
 */
import { isRecno, parsePath } from "@izo/core";
import { type ControlRequest, serveControl as serveSocket } from "@izo/sys";
import { z } from "zod";

import { type LiveSettingsChange, liveSettingsChangeSchema } from "../settings/mount-settings.ts";
import type { MountControl } from "./mount-control.ts";

type Handler = (control: MountControl, asked: ControlRequest) => unknown;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET /status": (control) => control.status(),
  "GET /metrics": (control) => control.metrics(),
  "POST /flush": (control, { signal }) => control.flush(signal),
  "POST /settings": (control, { body }) =>
    control.changeSettings(liveSettingsChangeSchema.parse(body) as LiveSettingsChange),
  "POST /pin": (control, { body }) => control.pin(pathsOf(body)),
  "POST /unpin": (control, { body }) => control.unpin(pathsOf(body)),
  "GET /pins": (control) => control.pins(),
  "POST /wait": (control, { url, signal }) => {
    const recno = Number(url.searchParams.get("recno"));
    if (!isRecno(recno)) throw new TypeError(`Cannot wait for record ${recno}: it is no number`);
    return control.waitFor(recno, signal);
  },
  "GET /conflicts": (control) => control.conflicts(),
  "GET /refusals": (control) => control.refusals(),
  "GET /push-plan": (control) => control.planPush(),
  "POST /held/confirm": (control) => control.confirmRemoval(),
  "POST /held/drop": (control) => control.dropRemoval(),
  "GET /salvage": (control, { signal }) => control.planSalvage(signal),
  "POST /salvage": (control, { signal }) => control.salvage(signal),
  "POST /permit/take": (control, { url, signal }) => control.takePermit(pathOf(url), signal),
  "POST /permit/release": (control, { url, signal }) => control.releasePermit(pathOf(url), signal),
  "GET /verify": (control, { url, signal }) =>
    control.verify({ isQuick: url.searchParams.has("quick") }, signal),
  "POST /unmount": (control) => control.unmount(),
};

/** Paths of the mount, from its root. */
function pathsOf(body: unknown): string[] {
  return z.array(z.string()).parse(body).map(parsePath);
}

function pathOf(url: URL): string {
  return parsePath(url.searchParams.get("path") ?? "/");
}

/**
 * Serves the control socket of a mount. The caller holds the cache's lock.
 *
 * @param catchUp takes in what programs did before they asked, also what nobody has waited for
 */
export function serveControl(
  cacheDir: string,
  control: MountControl,
  catchUp: () => void = () => {},
): Promise<AsyncDisposable> {
  const handlers = Object.entries(HANDLERS).map(([name, handler]) => [
    name,
    (asked: ControlRequest) => {
      catchUp();
      return handler(control, asked);
    },
  ]);
  return serveSocket(cacheDir, Object.fromEntries(handlers));
}
