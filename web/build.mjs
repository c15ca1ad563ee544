// Builds the package: `dist/volley.js`, one minified module without dependencies, and the types.
//
//   node build.mjs            writes dist/
//   node build.mjs --verify   fails if dist/ is not what the sources give
//   node build.mjs --test     prepares .build/: the sources one by one for unit tests, and a fresh dist
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = "es2022";

async function bundle(out) {
  await build({
    absWorkingDir: here,
    entryPoints: ["src/volley.ts"],
    outfile: join(out, "volley.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target,
    banner: { js: "/* volley-client, MIT licence */" },
    logLevel: "warning",
  });
}

/** Writes the types of the public names: the declarations that volley.d.ts reaches, and no others. */
function declarations(out) {
  const all = mkdtempSync(join(tmpdir(), "volley-types-"));
  try {
    const tsc = join(here, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", here, "--emitDeclarationOnly", "--outDir", all], {
      stdio: "inherit",
    });
    const todo = ["volley.d.ts"];
    for (const name of todo) {
      const text = readFileSync(join(all, name), "utf8");
      writeFileSync(join(out, name), text);
      for (const [, file] of text.matchAll(/from "\.\/(\w+)\.js"/g)) {
        if (!todo.includes(`${file}.d.ts`)) todo.push(`${file}.d.ts`);
      }
    }
  } finally {
    rmSync(all, { recursive: true });
  }
}

async function dist(out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await bundle(out);
  declarations(out);
}

/** The names of files that differ between two directories, or are in one of them only. */
export function differences(a, b) {
  const names = new Set([...readdirSync(a), ...readdirSync(b)]);
  const read = (dir, name) => {
    try {
      return readFileSync(join(dir, name), "latin1");
    } catch {
      return undefined;
    }
  };
  return [...names].filter((name) => read(a, name) !== read(b, name));
}

async function main(mode) {
  if (mode === undefined) return dist(join(here, "dist"));
  if (mode === "--test") {
    const sources = readdirSync(join(here, "src")).map((name) => join(here, "src", name));
    rmSync(join(here, ".build"), { recursive: true, force: true });
    await build({ entryPoints: sources, outdir: join(here, ".build/src"), format: "esm", target, sourcemap: "inline" });
    return dist(join(here, ".build/dist"));
  }
  if (mode !== "--verify") throw new Error(`unknown argument ${mode}`);
  const fresh = mkdtempSync(join(tmpdir(), "volley-dist-"));
  try {
    await dist(fresh);
    const stale = differences(fresh, join(here, "dist"));
    if (stale.length > 0) throw new Error(`dist/ is not built from src/: ${stale.join(", ")}; run npm run build`);
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
