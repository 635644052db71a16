/**
 * `node:http`, not imported: to make an ES module of it Node reads each of its exports, and one is the WebSocket of the undici
 * that it has built in, which is loaded for that (Node 24). It took 25 ms of processor time of each command.
 */
export const nodeHttp = process.getBuiltinModule("node:http");
