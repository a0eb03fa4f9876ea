import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A resource as the template declares it: properties still hold intrinsics. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: JsonObject;
  readonly Metadata?: JsonObject;
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: Json }>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: Json; readonly Export?: { readonly Name: Json } }>>;
}

/** One synthesized stack with the folders of its file assets by hash. */
export interface Stack {
  readonly name: string;
  readonly region: string;
  readonly template: Template;
  readonly assets: Readonly<Record<string, string>>;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly properties?: {
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly file?: string;
    readonly directoryName?: string;
  };
  readonly dependencies?: readonly string[];
}

interface AssetManifest {
  readonly files?: Readonly<Record<string, { readonly source: { readonly path?: string } }>>;
}

const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, "utf8")) as T;

const assetsOf = (folder: string, artifacts: readonly Artifact[]): Record<string, string> => {
  const assets: Record<string, string> = {};
  for (const artifact of artifacts) {
    if (artifact.type !== "cdk:asset-manifest" || artifact.properties?.file === undefined) continue;
    const files = readJson<AssetManifest>(join(folder, artifact.properties.file)).files ?? {};
    for (const [hash, file] of Object.entries(files)) if (file.source.path !== undefined) assets[hash] = join(folder, file.source.path);
  }
  return assets;
};

/**
 * Reads every stack of a cloud assembly (`cdk.out`), nested assemblies included.
 *
 * @throws Error in one line when the folder holds no assembly.
 */
export const readAssembly = (folder: string): Stack[] => {
  const manifest = join(folder, "manifest.json");
  if (!existsSync(manifest)) throw new Error(`${folder} holds no cloud assembly: run \`npx cdk synth\` first`);
  const artifacts = Object.entries(readJson<{ artifacts?: Record<string, Artifact> }>(manifest).artifacts ?? {});
  const assets = assetsOf(
    folder,
    artifacts.map(([, artifact]) => artifact),
  );
  return artifacts.flatMap(([id, artifact]): Stack[] => {
    if (artifact.type === "cdk:cloud-assembly") return readAssembly(join(folder, artifact.properties?.directoryName ?? ""));
    if (artifact.type !== "aws:cloudformation:stack" || artifact.properties?.templateFile === undefined) return [];
    const name = artifact.properties.stackName ?? id;
    const region = artifact.environment?.split("/").at(-1);
    if (region === undefined || region === "unknown-region")
      throw new Error(`stack ${name} sets no region: the local cloud needs one for its ARNs`);
    return [{ name, region, template: readJson<Template>(join(folder, artifact.properties.templateFile)), assets }];
  });
};
