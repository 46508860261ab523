// Keeps a page as it is now: whenever something it shows has changed, the page is fetched again and the parts marked
// `data-live` are put in place of the old ones. Without this script pages are whole, and are reloaded by the browser.
"use strict";

const AT_MOST_MS = 1000;   // one fetch in so long
const ANYWAY_MS = 15000;   // ages grow though nothing happens
const AGAIN_MS = 3000;     // after a failure
const lost = document.getElementById("lost");
let due = false, fetching = false, fetchedAt = Date.now(), at = document.body.dataset.at;

function away(is) {
  if (is) lost.textContent = lost.dataset.text.replace("{time}", new Date(at).toLocaleTimeString());
  lost.hidden = !is;
  document.body.classList.toggle("stale", is);
}

function busy(part) {  // somebody writes in it, or has marked text in it
  const selection = document.getSelection();
  return part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")
    || !selection.isCollapsed && part.contains(selection.anchorNode);
}

async function refresh() {
  if (fetching || document.hidden) return;
  fetching = true; due = false;
  try {
    const answer = await fetch(location.href, { cache: "no-cache", credentials: "same-origin" });
    if (answer.redirected) return void location.reload();  // logged out
    if (!answer.ok) throw new Error(answer.status);
    const text = await answer.text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    at = fresh.body.dataset.at;
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(part.id);
      if (now && now.innerHTML !== part.innerHTML && !busy(part)) part.replaceWith(document.adoptNode(now));
    }
    if (fresh.title !== document.title) document.title = fresh.title;
    away(false);
  } catch {
    away(true);
    setTimeout(() => { due = true; }, AGAIN_MS);
  } finally {
    fetching = false; fetchedAt = Date.now();
  }
}

function listen() {
  const topics = document.body.dataset.topics;
  if (!topics) return;
  const site = document.body.dataset.site, device = document.body.dataset.device;
  const query = new URLSearchParams({ topics, ...(site && { site }), ...(device && { device }) });
  const source = new EventSource("/v1/events?" + query);
  for (const topic of topics.split(",").concat("message")) source.addEventListener(topic, () => { due = true; });
  source.onopen = () => { due = true; };
  source.onerror = () => {
    away(true);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  };
}

if (document.querySelector("[data-live]")) {
  setInterval(() => {
    const since = Date.now() - fetchedAt;
    if (due && since >= AT_MOST_MS || since >= ANYWAY_MS) refresh();
  }, 250);
  document.addEventListener("visibilitychange", () => { due = true; });
  listen();
}
