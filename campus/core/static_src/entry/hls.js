// hls.js as a module: streams in browsers with media source extensions.
export { default } from "hls.js";
