// The webcam tab: camera frames go to the server over a WebSocket, the animated portrait comes back.
// At most two frames are on their way; a camera frame that finds both out is left out, so nothing queues.
"use strict";

window.reenactLive = (() => {
  const IN_FLIGHT = 2, WIDTH = 480, QUALITY = 0.8, WINDOW = 60, SLOW = 15, FAST_SYSTEM = "warp";
  const settings = {};
  let portrait = "", socket = null, stream = null, paused = false, flying = [], ready = false, generation = 0;
  let faceSeen = true;
  let latencies = [], arrivals = [], total = 0;
  const grab = document.createElement("canvas");

  const find = (id) => document.getElementById(id);
  const say = (text) => { const place = find("re-live-status"); if (place) place.textContent = text; };

  function send() {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(settings));
  }

  function set(name, value) {
    settings[name] = value;
    send();
  }

  function setPortrait(id) {
    portrait = id || "";
    if (!stream) return;
    if (portrait) connect(); else stop("The portrait was taken away.");
  }

  function quantile(values, share) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : 0;
  }

  function statistics() {
    const span = arrivals.length > 1 ? (arrivals[arrivals.length - 1] - arrivals[0]) / 1000 : 0;
    return {
      rate: span ? (arrivals.length - 1) / span : 0,
      p50: quantile(latencies, 0.5),
      p95: quantile(latencies, 0.95),
      frames: arrivals.length,
      total,
    };
  }

  function words() {
    const s = statistics();
    let text = `${s.rate.toFixed(1)} frames/s, from camera to screen ${s.p50.toFixed(0)} ms (p50), ${s.p95.toFixed(0)} ms (p95).`;
    if (!faceSeen) text = `No face is seen: look into the camera. ${text}`;
    else if (s.rate < SLOW && s.frames === WINDOW && settings.system !== FAST_SYSTEM) text += ` The system "${FAST_SYSTEM}" is faster.`;
    return text;
  }

  function connect() {
    if (socket) { socket.onclose = null; socket.close(); }
    const mine = ++generation;
    flying = []; ready = false; latencies = []; arrivals = []; faceSeen = true;
    say("Getting the portrait ready.");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/api/portraits/${encodeURIComponent(portrait)}/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = send;
    socket.onmessage = async (event) => {
      if (mine !== generation) return;
      if (typeof event.data === "string") {
        const message = JSON.parse(event.data);
        if (message.error) stop(message.error);
        if (message.ready) { ready = true; say("Ready; waiting for the first picture."); }
        if ("face" in message) faceSeen = message.face;
        return;
      }
      const sent = new DataView(event.data).getFloat64(0);
      // What the server passed over for this one is not coming any more.
      flying = flying.filter((taken) => taken > sent);
      const picture = await createImageBitmap(new Blob([new Uint8Array(event.data, 8)], { type: "image/jpeg" }));
      if (mine !== generation) return;
      const out = find("re-live-out");
      if (out) {
        if (out.width !== picture.width || out.height !== picture.height) {
          out.width = picture.width; out.height = picture.height;
        }
        out.getContext("2d").drawImage(picture, 0, 0);
      }
      picture.close();
      const now = performance.now();
      total += 1;
      latencies = [...latencies.slice(1 - WINDOW), now - sent];
      arrivals = [...arrivals.slice(1 - WINDOW), now];
      if (arrivals.length % 10 === 0) {
        say(words());
      }
    };
    socket.onclose = () => { if (mine === generation) stop("The connection ended."); };
  }

  function capture() {
    const video = find("re-live-in");
    if (!stream || !video) return;
    const next = () => video.requestVideoFrameCallback ? video.requestVideoFrameCallback(capture) : requestAnimationFrame(capture);
    next();
    if (paused || !ready || flying.length >= IN_FLIGHT || !video.videoWidth) return;
    const taken = performance.now(), mine = generation;
    grab.width = Math.min(WIDTH, video.videoWidth);
    grab.height = Math.round(grab.width * video.videoHeight / video.videoWidth);
    grab.getContext("2d").drawImage(video, 0, 0, grab.width, grab.height);
    flying.push(taken);
    grab.toBlob(async (blob) => {
      if (!blob || mine !== generation || !socket || socket.readyState !== WebSocket.OPEN) {
        flying = flying.filter((other) => other !== taken);
        return;
      }
      const message = new Uint8Array(8 + blob.size);
      new DataView(message.buffer).setFloat64(0, taken);
      message.set(new Uint8Array(await blob.arrayBuffer()), 8);
      if (mine === generation && socket.readyState === WebSocket.OPEN) socket.send(message);
    }, "image/jpeg", QUALITY);
  }

  async function start() {
    if (stream) { stop("The camera is off."); return; }
    const held = document.querySelector("#held textarea, #held input");
    portrait = portrait || (held ? held.value : "");
    if (!portrait) { say("Drop a portrait first."); return; }
    if (!navigator.mediaDevices) { say("The browser gives a camera only to pages of this computer or with https."); return; }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, frameRate: 30 }, audio: false });
    } catch (error) {
      stream = null;
      say(error.name === "NotAllowedError" ? "The browser was not allowed to use the camera." : "There is no camera that works.");
      return;
    }
    const video = find("re-live-in");
    video.srcObject = stream;
    await video.play();
    find("re-live-start").textContent = "Stop the camera";
    find("re-live-pause").disabled = find("re-live-neutral").disabled = false;
    paused = false;
    connect();
    capture();
  }

  function stop(reason) {
    generation += 1;
    if (socket) { socket.onclose = null; socket.close(); socket = null; }
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    const button = find("re-live-start");
    if (button) button.textContent = "Start the camera";
    for (const id of ["re-live-pause", "re-live-neutral"]) { const b = find(id); if (b) b.disabled = true; }
    say(reason);
  }

  function pause() {
    paused = !paused;
    find("re-live-pause").textContent = paused ? "Go on" : "Pause";
    if (paused) say("Paused.");
  }

  function neutral() {
    settings.recalibrate = true;
    send();
    delete settings.recalibrate;
  }

  // Gradio makes and remakes the elements: listen on the document.
  const buttons = { "re-live-start": start, "re-live-pause": pause, "re-live-neutral": neutral };
  document.addEventListener("click", (event) => {
    const action = buttons[event.target.id];
    if (action) action();
  });
  return { set, portrait: setPortrait, statistics };
})();
