// Bundles and copies the pinned packages of package.json into ../static/vendor, with licences and a manifest.
// Run: npm ci --ignore-scripts && npm run vendor
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "vendor");
const packages = join(here, "node_modules");

const read = (path) => readFile(path, "utf8");
const text = (path) => read(join(packages, path));
const withoutMap = (css) => css.replace(/\/\*# sourceMappingURL=.*?\*\//g, "").trim();
const inLayer = (css) => `@layer vendor {\n${withoutMap(css)}\n}\n`;

async function put(path, content) {
  const target = join(out, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}

async function bundle(name) {
  await build({
    entryPoints: [join(here, "entry", `${name}.js`)],
    outfile: join(out, name, `${name}.js`),
    bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none", charset: "utf8",
  });
}

async function bootstrap() {
  await put("bootstrap/reboot.css", inLayer(await text("bootstrap/dist/css/bootstrap-reboot.min.css")));
}

async function pretendard() {
  const base = join(packages, "pretendard/dist/web/variable");
  const css = await read(join(base, "pretendardvariable-dynamic-subset.css"));
  const licence = css.slice(css.indexOf("/*") + 2, css.indexOf("*/")).trim();
  const faces = css.slice(css.indexOf("*/") + 2).replaceAll("./woff2-dynamic-subset/", "./").replaceAll(/\s+/g, " ");
  await put("pretendard/pretendard.css", `${faces.trim()}\n`);
  await put("licences/pretendard.txt", `${licence}\n`);
  await cp(join(base, "woff2-dynamic-subset"), join(out, "pretendard"), { recursive: true });
}

async function katex() {
  await bundle("katex");
  // Only woff2: every browser that runs our modules reads it.
  const css = (await text("katex/dist/katex-swap.min.css")).replaceAll(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "");
  await put("katex/katex.css", inLayer(css));
  const fonts = join(packages, "katex/dist/fonts");
  for (const font of (await readdir(fonts)).filter((f) => f.endsWith(".woff2"))) {
    await cp(join(fonts, font), join(out, "katex/fonts", font));
  }
}

async function uplot() {
  await bundle("uplot");
  await put("uplot/uplot.css", inLayer(await text("uplot/dist/uPlot.min.css")));
}

async function hls() {
  await bundle("hls");
  // Its worker is a file of its own, so that no page has to allow workers from blobs.
  await put("hls/hls.worker.js", (await text("hls.js/dist/hls.worker.js")).replace(/\n\/\/# sourceMappingURL=.*$/m, ""));
}

async function icons() {
  const names = (await read(join(here, "icons.txt"))).split("\n").map((line) => line.trim()).filter(Boolean);
  const symbols = await Promise.all(names.map(async (name) => {
    const svg = await text(`lucide-static/icons/${name}.svg`);
    const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replaceAll(/\s*\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
  }));
  await put("icons/sprite.svg", `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
}

async function licencesAndManifest() {
  const lock = JSON.parse(await read(join(here, "package-lock.json")));
  const versions = {};
  for (const path of Object.keys(lock.packages).filter((p) => p.startsWith("node_modules/")).sort()) {
    const name = path.slice("node_modules/".length);
    if (/esbuild|commander|popperjs/.test(name)) continue; // needed to build or to install, not shipped
    const { version, license } = lock.packages[path];
    versions[name] = { version, licence: license };
    const file = (await readdir(join(packages, name)).catch(() => [])).find((f) => /^licen[cs]e/i.test(f));
    if (file) await put(`licences/${name.replace("/", "-").replace("@", "")}.txt`, await text(`${name}/${file}`));
  }
  await put("manifest.json", `${JSON.stringify(versions, null, 2)}\n`);
}

await rm(out, { recursive: true, force: true });
await Promise.all([bundle("codemirror"), bundle("echarts"), bootstrap(), pretendard(), katex(), uplot(), hls(), icons()]);
await licencesAndManifest();
