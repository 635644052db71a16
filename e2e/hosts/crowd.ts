/**
 * Many clients of one server at once, most of them bad ones, from one process: those that wait for records as
 * they should, those that ask for a large content and do not read it, those that never end the head of a request,
 * and those that never end its body. One good client goes on asking meanwhile.
 *
 * Run as a program inside a host: `crowd.ts URL EACH SECONDS`; prints one line of JSON, how long the good
 * client's requests took.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What the good client saw. */
export interface CrowdFigures {
  readonly connections: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly longestMs: number;
}

/** A connection that has sent some bytes, and reads nothing of the answer unless it is told to. */
function open(url: URL, bytes: string, isRead: boolean): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const socket = connect(Number(url.port), url.hostname);
  // The server may end what is slow or too much: that is what it should do.
  socket.on("error", () => {});
  if (!isRead) socket.pause();
  else socket.resume();
  socket.once("connect", () => {
    socket.write(bytes);
    resolve(socket);
  });
  socket.once("close", () => resolve(socket));
  return promise;
}

async function crowd(url: URL, each: number, seconds: number): Promise<CrowdFigures> {
  const fileset = url.pathname.slice(1);
  const base = new URL(`/v1/filesets/${fileset}/`, url);
  const head = (method: string, path: string): string =>
    `${method} ${base.pathname}${path} HTTP/1.1\r\nHost: ${url.host}\r\nIzo-Protocol: 1\r\n`;
  const profile = (await (await fetch(new URL("profile", base))).json()) as { head: string };
  const requests: [text: string, isRead: boolean][] = [
    [`${head("GET", `kml?after=${profile.head}&wait=50`)}\r\n`, true],
    [`${head("GET", "files/large")}\r\n`, false],
    [head("GET", "profile"), false],
    [`${head("POST", "reintegrate")}Content-Length: 1000000\r\n\r\nizo`, false],
  ];
  const sockets = await Promise.all(
    requests.flatMap(([text, isRead]) =>
      Array.from({ length: each }, () => open(url, text, isRead)),
    ),
  );
  const tookMs: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    const startMs = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one client asks one thing after another
    const response = await fetch(new URL("files/small", base));
    // oxlint-disable-next-line no-await-in-loop
    if ((await response.text()) !== "small\n") throw new Error("Cannot read the small file");
    tookMs.push(performance.now() - startMs);
    // oxlint-disable-next-line no-await-in-loop
    await delay(20);
  }
  for (const socket of sockets) socket.destroy();
  tookMs.sort((a, b) => a - b);
  return {
    connections: sockets.length,
    requests: tookMs.length,
    p50Ms: tookMs[Math.floor(tookMs.length / 2)] ?? Number.NaN,
    longestMs: tookMs.at(-1) ?? Number.NaN,
  };
}

if (process.argv[1] === import.meta.filename) {
  const [, , url = "", each, seconds] = process.argv;
  console.log(JSON.stringify(await crowd(new URL(url), Number(each), Number(seconds))));
}
