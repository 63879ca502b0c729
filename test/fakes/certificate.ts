import { generateKeyPairSync, sign } from "node:crypto";
import tls from "node:tls";

import { onTestFinished } from "vitest";

/** An element of DER (ITU-T X.690). */
function der(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));

function pem(kind: string, content: Buffer): string {
  return `-----BEGIN ${kind}-----\n${content.toString("base64")}\n-----END ${kind}-----\n`;
}

/** A key and a certificate for a name and all names below it, signed by itself (RFC 5280). */
export function makeCertificate(name: string): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectId("2a8648ce3d040302"));
  const commonName = sequence(objectId("550403"), der(0x0c, name));
  const who = sequence(der(0x31, commonName));
  const names = sequence(der(0x82, name), der(0x82, `*.${name}`));
  const extensions = sequence(
    sequence(
      objectId("551d13"),
      der(0x01, Buffer.from([0xff])),
      der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
    ),
    sequence(objectId("551d11"), der(0x04, names)),
  );
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    who,
    sequence(der(0x17, "200101000000Z"), der(0x17, "491231235959Z")),
    who,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", content, privateKey));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: pem("CERTIFICATE", sequence(content, algorithm, signature)),
  };
}

/** A certificate for a name and all names below it, which this process trusts until the test ends. */
export function trustedCertificate(name: string): { readonly key: string; readonly cert: string } {
  const made = makeCertificate(name);
  const before = tls.getCACertificates("default");
  tls.setDefaultCACertificates([...before, made.cert]);
  onTestFinished(() => tls.setDefaultCACertificates(before));
  return made;
}
