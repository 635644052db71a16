/** The challenge of every 401 (RFC 6750, section 3). */
export const BEARER = 'Bearer realm="izo"';
