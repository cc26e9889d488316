// Previews while a slider moves: the page's settings go to the API, one JPEG comes back. One request is on its
// way at a time and place; of what is asked for meanwhile, the newest counts.
"use strict";

window.reenactPreview = (() => {
  const places = new Map();

  function place(id) {
    if (!places.has(id)) places.set(id, { busy: false, next: null, address: "" });
    return places.get(id);
  }

  function tell(id, words, wrong) {
    const note = document.createElement("p");
    note.className = wrong ? "re-problem" : "re-hint";
    if (wrong) note.setAttribute("role", "alert");
    note.textContent = words;
    document.getElementById(id)?.replaceChildren(note);
  }

  // What is in a tab is made when the tab is first opened, a moment after the page is told of it.
  async function made(id) {
    for (let tries = 0; tries < 40 && !document.getElementById(id); tries += 1)
      await new Promise((done) => setTimeout(done, 50));
  }

  async function show(id, title, blob) {
    const state = place(id), before = state.address, root = document.getElementById(id);
    if (!root) return;
    let image = root.querySelector("img");
    if (!image) {
      root.innerHTML = '<figure class="re-figure"><img><figcaption></figcaption></figure>';
      image = root.querySelector("img");
    }
    image.alt = title;
    root.querySelector("figcaption").textContent = title;
    state.address = URL.createObjectURL(blob);
    image.src = state.address;
    await image.decode().catch(() => null);
    if (before) URL.revokeObjectURL(before);
  }

  async function ask(id, { portrait, body, title }) {
    const answer = await fetch(`/api/portraits/${encodeURIComponent(portrait)}/preview`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer.ok) return show(id, title, await answer.blob());
    const told = await answer.json().catch(() => ({}));
    const detail = Array.isArray(told.detail) ? told.detail.map((one) => one.msg).join("; ") : told.detail;
    tell(id, detail || `The server answered ${answer.status}.`, true);
  }

  async function run(id) {
    const state = place(id);
    if (state.busy) return;
    state.busy = true;
    await made(id);
    while (state.next) {
      const wanted = state.next;
      state.next = null;
      if (!wanted.portrait) tell(id, wanted.hint);
      else if (!wanted.body) tell(id, wanted.missing);
      else await ask(id, wanted).catch(() => tell(id, "The server cannot be reached; is it still running?", true));
    }
    state.busy = false;
  }

  function want(id, wanted) {
    place(id).next = wanted;
    run(id);
  }

  function options(names, values) {
    const found = {};
    names.forEach((name, n) => { if (values[n] !== null && values[n] !== undefined) found[name] = values[n]; });
    return found;
  }

  // The tab "Animate": values of the controls, in the order of their names.
  function animate(portrait, motion, position, names, values) {
    const body = motion ? { motion, position, options: options(names, values) } : null;
    want("re-preview", {
      portrait, body, title: "Result",
      hint: "", missing: "Now drop what drives it, or take an example.",
    });
  }

  // The tab "Pose": angles, then named expressions, then action units.
  function pose(portrait, system, names, values) {
    const asked = { expressions: {}, units: {} };
    names.forEach(([kind, name], n) => {
      const value = values[n] || 0;
      if (kind === "angle") asked[name] = value;
      else if (value) asked[kind][name] = value;
    });
    const body = { options: { kind: "pose", system, pose: asked } };
    want("re-pose-preview", { portrait, body, title: "Posed", hint: "Drop a portrait, or take the example.", missing: "" });
  }

  return { animate, pose };
})();
