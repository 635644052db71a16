/**
 * X.509 certificates for tests of TLS, made on the spot: an authority, and what it signs. Elliptic keys
 * (P-256), as little of RFC 5280 as OpenSSL asks for.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface TestCertificate {
  /** PEM */
  readonly cert: string;
  /** PEM, PKCS #8 */
  readonly key: string;
}

export interface TestAuthority extends TestCertificate {
  /** A certificate for these hosts, names or IPv4 addresses; `validMs` from now on, a day by default. */
  issue(hosts: readonly string[], validMs?: number): TestCertificate;
}

const DAY_MS = 86_400_000;

/** Makes an authority that nobody else knows. */
export function createTestAuthority(name = "izo test authority"): TestAuthority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signed = (
    subject: string,
    key: KeyObject,
    extensions: readonly Buffer[],
    validMs: number,
  ): string =>
    writeCertificate({ issuer: name, subject, key, extensions, validMs }, own.privateKey);
  return {
    cert: signed(name, own.publicKey, [extension(OID.basicConstraints, sequence(TRUE))], DAY_MS),
    key: writeKey(own.privateKey),
    issue(hosts, validMs = DAY_MS) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const names = extension(OID.subjectAltName, sequence(...hosts.map(alternativeName)));
      return {
        cert: signed(hosts[0] ?? "client", publicKey, hosts.length > 0 ? [names] : [], validMs),
        key: writeKey(privateKey),
      };
    },
  };
}

interface Content {
  readonly issuer: string;
  readonly subject: string;
  readonly key: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly validMs: number;
}

/** Contents of object identifiers, as DER has them. */
const OID = {
  commonName: "550403",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  ecdsaWithSha256: "2a8648ce3d040302",
} as const;

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const TRUE = Buffer.from("0101ff", "hex");

function writeCertificate(
  { issuer, subject, key, extensions, validMs }: Content,
  by: KeyObject,
): string {
  const nowMs = Date.now();
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const validity = sequence(time(nowMs + Math.min(0, validMs) - DAY_MS), time(nowMs + validMs));
  const body = sequence(
    der(0xa0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    validity,
    distinguishedName(subject),
    key.export({ type: "spki", format: "der" }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = der(BIT_STRING, Buffer.of(0), sign("sha256", body, by));
  const text = sequence(body, algorithm, signature).toString("base64");
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function writeKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(SEQUENCE, ...parts);
}

function oid(hex: string): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(hex, "hex"));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(
    der(SET, sequence(oid(OID.commonName), der(UTF8_STRING, Buffer.from(commonName)))),
  );
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(GENERALIZED_TIME, Buffer.from(digits));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(OCTET_STRING, value));
}

/** An IPv4 address, or a DNS name (RFC 5280, section 4.2.1.6). */
function alternativeName(host: string): Buffer {
  const isAddress = /^\d+(\.\d+){3}$/.test(host);
  return isAddress
    ? der(0x87, Buffer.from(host.split(".").map(Number)))
    : der(0x82, Buffer.from(host));
}
