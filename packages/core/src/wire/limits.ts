/**
 * How much one message may hold. A server refuses more (`too-large`), a client reads no more than this
 * into memory, whatever a server sends.
 */

/** Contents up to this size travel inside a push and in content packs; one packet of them is cheap to lose. */
export const MAX_INLINE_BYTES = 64 * 1024;

/** Records of one push. */
export const MAX_PUSH_RECORDS = 1024;

/** Bytes of one push: records and inline contents together. */
export const MAX_PUSH_BYTES = 8 * 1024 * 1024;

/** Records of one answer to a poll. */
export const MAX_POLL_RECORDS = 65_536;

/** Bytes of one answer to a poll; one record may go beyond it, as the first of an answer always comes. */
export const MAX_POLL_BYTES = 4 * 1024 * 1024;

/** Bytes of the contents that come beside the records of an answer, all together. */
export const MAX_POLL_CONTENT_BYTES = 256 * 1024;

/** Seconds that a poll may wait. Under the minute after which many proxies cut a silent connection. */
export const MAX_POLL_WAIT_SECONDS = 55;

/** Seconds after which a silent feed of events says where it stands; under the minute of many proxies. */
export const EVENTS_HEARTBEAT_SECONDS = 15;

/** Recnos that one content pack may span. */
export const MAX_PACK_RECNOS = 4096;

/** Bytes of a JSON answer that a client reads. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** Longest name of a peer's host, in bytes: `HOST_NAME_MAX` of Linux is 64, RFC 1035 allows 253. */
export const MAX_HOST_BYTES = 253;

/** Records of one page of a history. */
export const MAX_HISTORY_RECORDS = 1000;
