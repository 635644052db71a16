/**
 * What a process of Node still needs: the bytes of its heap after a full collection, which Node's inspector
 * does. Run as a program inside the host of that process: `live-heap.ts PID`; prints the bytes.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

const INSPECTOR = "http://127.0.0.1:9229/json/list";

/** SIGUSR1 opens the inspector of a process of Node, at this host's loopback. */
async function openInspector(pid: number): Promise<string> {
  process.kill(pid, "SIGUSR1");
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it answers
      const targets = (await (await fetch(INSPECTOR)).json()) as { webSocketDebuggerUrl: string }[];
      return targets[0]!.webSocketDebuggerUrl;
    } catch {
      // oxlint-disable-next-line no-await-in-loop
      await delay(50);
    }
  }
  throw new Error(`Cannot look into process ${pid}: its inspector does not answer`);
}

async function liveHeapBytes(pid: number): Promise<number> {
  const socket = new WebSocket(await openInspector(pid));
  await once(socket, "open");
  const ask = async (id: number, method: string): Promise<unknown> => {
    const answered = once(socket, "message");
    socket.send(JSON.stringify({ id, method }));
    const [{ data }] = (await answered) as [{ data: string }];
    return (JSON.parse(data) as { result: unknown }).result;
  };
  await ask(1, "HeapProfiler.collectGarbage");
  const { usedSize } = (await ask(2, "Runtime.getHeapUsage")) as { usedSize: number };
  socket.close();
  return usedSize;
}

if (process.argv[1] === import.meta.filename)
  console.log(await liveHeapBytes(Number(process.argv[2])));
