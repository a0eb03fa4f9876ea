import type { ShippedFunction, ShippedPackage } from "./shipped.ts";

const purlOf = ({ name, version }: ShippedPackage): string => `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;

/** An SPDX id, or an expression where several licences are offered. */
const licenceOf = (license: string): object => (/\s/.test(license) ? { expression: license } : { license: { id: license } });

/** The bill of materials in CycloneDX 1.6 (JSON): every package of which a function holds something, and which do. */
export const billOfMaterials = (version: string, packages: readonly ShippedPackage[]): object => ({
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    lifecycles: [{ phase: "build" }],
    component: { type: "application", name: "plimsoll", version, "bom-ref": `plimsoll@${version}` },
  },
  components: packages.map((one) => ({
    type: "library",
    "bom-ref": purlOf(one),
    name: one.name,
    version: one.version,
    purl: purlOf(one),
    licenses: [licenceOf(one.license)],
    hashes: [{ alg: "SHA-512", content: one.sha512 }],
    properties: one.functions.map((name) => ({ name: "plimsoll:function", value: name })),
  })),
});

/** What a build was made from. */
export interface Origin {
  readonly commit: string;
  readonly lockSha256: string;
  /** Version of Node that the bundler ran on. */
  readonly node: string;
  /** URI of whoever built: the exchange's CI names itself. */
  readonly builder: string;
}

/** A statement of provenance (in-toto Statement 1, SLSA provenance 1), to be signed by whoever built. */
export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: "https://slsa.dev/provenance/v1";
  readonly predicate: object;
}

const subjectsOf = (functions: readonly ShippedFunction[]): Statement["subject"] =>
  functions.map(({ name, sha256 }) => ({ name: `${name}/index.mjs`, digest: { sha256 } }));

export const provenance = (functions: readonly ShippedFunction[], { commit, lockSha256, node, builder }: Origin): Statement => ({
  _type: "https://in-toto.io/Statement/v1",
  subject: subjectsOf(functions),
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: {
    buildDefinition: {
      buildType: "urn:plimsoll:bundle:1",
      externalParameters: { command: "npm ci && npm run release" },
      internalParameters: { node },
      resolvedDependencies: [
        { name: "source", digest: { gitCommit: commit } },
        { name: "package-lock.json", digest: { sha256: lockSha256 } },
      ],
    },
    runDetails: { builder: { id: builder } },
  },
});

/** Assets that a statement and a build of one's own have different bytes of, or that only one of them has. */
export const differences = ({ subject }: Pick<Statement, "subject">, functions: readonly ShippedFunction[]): string[] => {
  const stated = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
  const built = new Map(subjectsOf(functions).map(({ name, digest }) => [name, digest.sha256]));
  return [...new Set([...stated.keys(), ...built.keys()])]
    .filter((name) => stated.get(name) !== built.get(name))
    .map((name) => `${name}: stated ${stated.get(name) ?? "nothing"}, built ${built.get(name) ?? "nothing"}`);
};
