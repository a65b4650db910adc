// The page: one person's side of the chat, kept up to date by the sandbox's event stream.

import { bubbleRow, draftRow } from "./bubbles.js";
import { WORDS } from "./words.js";

const ACTION_LIVES_MS = 5000;
const TOAST_LIVES_MS = 3500;
const MAX_FILES = 10;
const CLIPS = ["video", "animation", "video_note"];

const at = (id) => document.getElementById(id);
const chat = at("chat");
const text = at("text");
const phone = document.querySelector(".phone");

const state = {
  bot: null,
  people: [],
  user: null,
  stream: null,
  rows: new Map(),
  draft: null,
  waiting: new Map(),
  idle: 0,
  draftEnd: 0,
  toastEnd: 0,
};

const words = () => WORDS[state.user?.language_code] ?? WORDS.en;

// Speaking with the sandbox

async function post(path, body) {
  const isForm = body instanceof FormData;
  const response = await fetch(`/sandbox/${path}`, {
    method: "POST",
    headers: isForm ? {} : { "Content-Type": "application/json" },
    body: isForm ? body : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

async function attempt(deed) {
  try {
    return await deed();
  } catch (error) {
    toast(words().failed + error.message);
    return null;
  }
}

function listen() {
  state.stream?.close();
  state.stream = new EventSource(`/sandbox/events?user=${state.user.id}`);
  state.stream.onmessage = ({ data }) => {
    const { kind, body } = JSON.parse(data);
    handlers[kind]?.(body);
  };
  state.stream.onerror = () => showStatus("offline", false);
}

const handlers = {
  snapshot({ messages, menu, user }) {
    Object.assign(state.user, user);
    state.rows.clear();
    chat.replaceChildren();
    clearDraft();
    showWords();
    showMenu(menu);
    messages.forEach((message) => addMessage(message));
    toEnd("instant");
  },
  message(message) {
    const follow = isAtEnd() || message.from.id !== state.bot.id;
    if (message.from.id === state.bot.id) clearDraft();
    showStatus("online", false);
    addMessage(message);
    if (follow) toEnd();
  },
  edited(message) {
    const follow = isAtEnd();
    replaceMessage(message);
    if (follow) toEnd();
  },
  deleted({ message_id: id }) {
    const row = state.rows.get(id);
    const album = row?.closest(".album");
    row?.remove();
    if (album && !album.children.length) album.remove();
    state.rows.delete(id);
  },
  draft(draft) {
    clearDraft();
    state.draft = draftRow(draft, write);
    chat.append(state.draft);
    state.draftEnd = setTimeout(clearDraft, draft.lives_s * 1000);
    toEnd();
  },
  action({ action }) {
    showStatus(words()[action] ? action : "typing", true);
    state.idle = setTimeout(() => showStatus("online", false), ACTION_LIVES_MS);
  },
  answer({ text: said, show_alert: alert, query_id: id }) {
    state.waiting.get(id)?.classList.remove("waiting");
    state.waiting.delete(id);
    if (said) alert ? showAlert(said) : toast(said);
  },
  commands({ menu }) {
    showMenu(menu);
  },
};

// Messages

function rowOf(message, previous) {
  return bubbleRow(message, {
    botId: state.bot.id,
    words: words(),
    onPress: press,
    onCommand: write,
    onZoom: zoom,
    previous,
  });
}

function addMessage(message) {
  const row = rowOf(message);
  state.rows.set(message.message_id, row);
  const isMine = message.from.id !== state.bot.id;
  const group = message.media_group_id;
  if (group && (message.photo || message.video)) {
    albumOf(group, isMine).append(row);
  } else {
    const last = chat.lastElementChild;
    row.classList.toggle("turn", last?.classList.contains("mine") !== isMine);
    chat.append(row);
  }
}

function albumOf(group, isMine) {
  const known = chat.querySelector(`[data-group="${CSS.escape(group)}"]`);
  if (known) return known;
  const row = document.createElement("div");
  row.className = `row wide turn${isMine ? " mine" : ""}`;
  const album = document.createElement("div");
  album.className = "album";
  album.dataset.group = group;
  row.append(album);
  chat.append(row);
  return album;
}

function replaceMessage(message) {
  const before = state.rows.get(message.message_id);
  if (!before) return;
  const row = rowOf(message, before);
  row.style.animation = "none";
  row.classList.toggle("turn", before.classList.contains("turn"));
  state.rows.set(message.message_id, row);
  before.replaceWith(row);
}

function clearDraft() {
  clearTimeout(state.draftEnd);
  state.draft?.remove();
  state.draft = null;
}

function isAtEnd() {
  return chat.scrollHeight - chat.scrollTop - chat.clientHeight < 120;
}

function toEnd(behavior = "smooth") {
  requestAnimationFrame(() => chat.scrollTo({ top: chat.scrollHeight, behavior }));
}

// What a person does

function write(said) {
  closeSheets();
  return attempt(() => post("write", { user_id: state.user.id, text: said }));
}

async function press(message, button, node) {
  if (button.switch_inline_query_chosen_chat) return toast(words().share);
  if (button.callback_data === undefined) return;
  node.classList.add("waiting");
  const answer = await attempt(() =>
    post("press", {
      user_id: state.user.id,
      message_id: message.message_id,
      data: button.callback_data,
    }),
  );
  if (answer) state.waiting.set(answer.query_id, node);
  else node.classList.remove("waiting");
}

async function upload(files, as) {
  closeSheets();
  if (!files.length) return;
  if (files.length > MAX_FILES) return toast(words().tooMany);
  const form = new FormData();
  form.set("user_id", state.user.id);
  form.set("as", as);
  form.set("caption", text.value.trim());
  if (CLIPS.includes(as)) {
    const about = await factsOf(files[0]);
    for (const [name, value] of Object.entries(about)) form.set(name, value);
  }
  for (const file of files) form.append("files", file);
  if (await attempt(() => post("upload", form))) text.value = "";
}

// What a phone would say of a clip; nothing of one that this browser can't play.
function factsOf(file) {
  return new Promise((resolve) => {
    const node = document.createElement("video");
    const url = URL.createObjectURL(file);
    const end = (facts) => {
      URL.revokeObjectURL(url);
      resolve(facts);
    };
    node.onloadedmetadata = () =>
      end({
        width: node.videoWidth,
        height: node.videoHeight,
        length: Math.min(node.videoWidth, node.videoHeight),
        duration: Number.isFinite(node.duration) ? Math.round(node.duration) : 0,
      });
    node.onerror = () => end({});
    node.src = url;
  });
}

function isPicture(file) {
  return /^image\/(jpeg|png|webp)$/.test(file.type);
}

async function speak(language) {
  await attempt(() => post("language", { user_id: state.user.id, language }));
  state.user.language_code = language;
  showWords();
}

function play(user) {
  state.user = user;
  history.replaceState(null, "", `#${user.id}`);
  showWords();
  listen();
}

// What a person sees besides messages

function showStatus(key, isBusy) {
  clearTimeout(state.idle);
  at("status").textContent = words()[key];
  at("status").classList.toggle("busy", isBusy);
}

function showWords() {
  document.documentElement.lang = state.user.language_code;
  text.placeholder = words().message;
  for (const label of document.querySelectorAll("[data-label]")) {
    label.textContent = words()[label.dataset.label];
  }
  for (const named of document.querySelectorAll("[data-name]")) {
    named.setAttribute("aria-label", words()[named.dataset.name]);
  }
  at("languages").value = state.user.language_code;
  for (const button of at("people").children) {
    button.setAttribute("aria-pressed", button.dataset.user === String(state.user.id));
  }
  showStatus("online", false);
}

function showMenu(menu) {
  const lines = menu.map(({ command, description }) => {
    const line = document.createElement("button");
    line.type = "button";
    const name = document.createElement("b");
    name.textContent = `/${command}`;
    const about = document.createElement("span");
    about.textContent = description;
    line.append(name, about);
    line.addEventListener("click", () => write(`/${command}`));
    return line;
  });
  at("menu").replaceChildren(...lines);
}

function toggleSheet(sheet, button) {
  const open = sheet.hidden;
  closeSheets();
  sheet.hidden = !open;
  button.setAttribute("aria-expanded", open);
}

function closeSheets() {
  for (const sheet of document.querySelectorAll(".sheet")) sheet.hidden = true;
  for (const button of document.querySelectorAll("[aria-expanded]")) {
    button.setAttribute("aria-expanded", false);
  }
}

function toast(said) {
  clearTimeout(state.toastEnd);
  at("toast").textContent = said;
  at("toast").hidden = false;
  state.toastEnd = setTimeout(() => (at("toast").hidden = true), TOAST_LIVES_MS);
}

function showAlert(said) {
  at("alert").querySelector("p").textContent = said;
  at("alert").showModal();
}

function zoom(url) {
  at("lightbox").querySelector("img").src = url;
  at("lightbox").showModal();
}

// Wiring

function wire() {
  at("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const said = text.value.trim();
    text.value = "";
    if (said) write(said);
  });
  at("menu-button").addEventListener("click", () => toggleSheet(at("menu"), at("menu-button")));
  at("attach-button").addEventListener("click", () =>
    toggleSheet(at("attach-menu"), at("attach-button")),
  );
  for (const button of at("attach-menu").children) {
    button.addEventListener("click", () => at(`${button.dataset.as}-input`).click());
  }
  for (const as of ["photo", "file", ...CLIPS]) {
    at(`${as}-input`).addEventListener("change", async ({ target }) => {
      await upload([...target.files], as);
      target.value = "";
    });
  }
  at("languages").addEventListener("change", ({ target }) => speak(target.value));
  chat.addEventListener("click", closeSheets);
  chat.addEventListener("scroll", () => (at("to-end").hidden = isAtEnd()));
  at("to-end").addEventListener("click", () => toEnd());
  at("alert").querySelector("button").addEventListener("click", () => at("alert").close());
  at("lightbox").addEventListener("click", () => at("lightbox").close());
  document.addEventListener("keydown", ({ key }) => key === "Escape" && closeSheets());
  wireDropping();
}

function wireDropping() {
  const send = (files) => upload(files, files.every(isPicture) ? "photo" : "file");
  phone.addEventListener("dragover", (event) => {
    event.preventDefault();
    phone.classList.add("dropping");
  });
  phone.addEventListener("dragleave", () => phone.classList.remove("dropping"));
  phone.addEventListener("drop", (event) => {
    event.preventDefault();
    phone.classList.remove("dropping");
    send([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) send(files);
  });
}

async function begin() {
  const { bot, people } = await (await fetch("/sandbox/people")).json();
  state.bot = bot;
  state.people = people;
  at("bot-name").textContent = bot.first_name;
  for (const user of people.slice(0, 2)) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.user = user.id;
    button.textContent = user.first_name;
    button.addEventListener("click", () => play(user));
    at("people").append(button);
  }
  wire();
  play(people.find((user) => `#${user.id}` === location.hash) ?? people[0]);
}

begin();
