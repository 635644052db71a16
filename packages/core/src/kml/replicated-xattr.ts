/** xattr(7), acl(5), capabilities(7). */
const REPLICATED = new Set([
  "system.posix_acl_access",
  "system.posix_acl_default",
  "security.capability",
]);

/** Where the cache of a mount without root's rights keeps its marks. */
const OWN = /^user\.izo(\.|$)/;

/**
 * Tells whether an extended attribute means the same on another host, and so is a part of the tree:
 * what users set, access control lists and file capabilities.
 *
 * Symlinks have none of these: users cannot set them there, and no program runs from one.
 *
 * All else belongs to one machine: labels and signatures of its security modules (`security.`), what
 * its own services note (`trusted.` and `user.izo`, where a client keeps its marks), and what one kind of file system
 * offers (`system.`). A mount refuses it, a server neither logs nor accepts it, and what stands on a
 * disk is left alone.
 */
export function isReplicatedXattr(name: string): boolean {
  return (name.startsWith("user.") && !OWN.test(name)) || REPLICATED.has(name);
}
