/** Tells whether only the machine itself reaches an address. A name may mean any, but for one. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:(?=\d+\.)/i, "");
  if (address === "localhost" || address === "::1") return true;
  return /^127(?:\.\d{1,3}){3}$/.test(address);
}
