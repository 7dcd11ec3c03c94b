// A stream (HLS): by hls.js wherever the browser has media source extensions, so that it behaves alike everywhere;
// by the browser's own player where it has none. Only the page of a stream loads this.
import Hls from "../../vendor/hls/hls.js";

const HLS_TYPE = "application/vnd.apple.mpegurl";
const MOST_RECOVERIES = 2;
// Captions are ours, checked and kept by us: what a stream brings of its own is not shown beside them.
const OWN_WORDS = { enableWebVTT: false, enableIMSC1: false, enableCEA708Captions: false, enableID3MetadataCues: false, enableDateRangeMetadataCues: false, renderTextTracksNatively: false };

// Give the video its stream. `say` shows words, or none; `words` are `noHls`, `failed` and `unreachable`.
export function openStream(video, { address, worker, beginS, say, words }) {
  if (!Hls.isSupported()) return openNatively(video, { beginS, say, words });
  const wished = !video.paused;
  for (const source of video.querySelectorAll("source")) source.remove();
  video.load(); // forgets what the browser had begun by itself
  const hls = new Hls({ ...OWN_WORDS, workerPath: worker, startPosition: beginS || -1 });
  let recoveries = 0;
  let isCut = false;

  hls.on(Hls.Events.ERROR, (_event, error) => {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.NETWORK_ERROR) {
      isCut = true;
      say(words.unreachable);
    } else if (error.type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < MOST_RECOVERIES) {
      recoveries += 1;
      hls.recoverMediaError();
    } else {
      hls.destroy();
      say(words.failed);
    }
  });

  // Where the network was lost, pressing play or being online again goes on at the same place.
  function again() {
    if (!isCut) return;
    isCut = false;
    say("");
    if (hls.levels.length) hls.startLoad(video.currentTime || beginS || -1);
    else hls.loadSource(address);
  }
  video.addEventListener("play", again);
  addEventListener("online", again);

  hls.loadSource(address);
  hls.attachMedia(video);
  if (wished) video.play().catch(() => {});
}

function openNatively(video, { beginS, say, words }) {
  if (!video.canPlayType(HLS_TYPE)) return say(words.noHls);
  const source = video.querySelector("source");
  source.addEventListener("error", () => say(words.failed));
  video.addEventListener("error", () => say(words.failed));
  // Not every player minds the time in the address.
  video.addEventListener("loadedmetadata", () => beginS && video.currentTime < 1 && (video.currentTime = beginS), { once: true });
  video.preload = "metadata";
}
