// A message of the Bot API as a bubble with its buttons.

import { richText, withCommands } from "./richtext.js";
import { size } from "./words.js";

const JOKE = /^\p{Extended_Pictographic}(\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*$/u;

export function fileUrl(fileId) {
  return `/sandbox/files/${encodeURIComponent(fileId)}`;
}

export function bubbleRow(message, { botId, words, onPress, onCommand, onZoom, previous }) {
  const mine = message.from.id !== botId;
  const row = make("div", `row${mine ? " mine" : ""}`);
  row.dataset.messageId = message.message_id;
  row.setAttribute("role", "article");
  row.setAttribute("aria-label", `${message.from.first_name}, ${timeOf(message)}`);
  const bubble = make("div", "bubble");
  row.append(bubble);
  const text = message.text ?? message.caption ?? "";
  if (message.reply_to_message) bubble.append(quote(message.reply_to_message));
  if (message.photo) bubble.append(picture(message, words, onZoom, previous));
  const clip = message.video ?? message.animation ?? message.live_photo;
  if (clip) bubble.append(film(clip, message, words));
  if (message.video_note) bubble.append(note(message.video_note, words));
  if (message.document && !message.animation) bubble.append(file(message.document, words));
  if (text) {
    const paragraph = make("p", "words");
    const entities = withCommands(text, message.entities ?? message.caption_entities);
    paragraph.append(richText(text, entities, onCommand));
    paragraph.dataset.stamp = stampOf(message, words);
    bubble.append(paragraph);
  }
  bubble.append(make("span", "stamp", stampOf(message, words)));
  const isShown = Boolean(message.photo || clip);
  row.classList.toggle("bare", !text && isShown);
  row.classList.toggle("note", Boolean(message.video_note));
  row.classList.toggle("joke", !mine && JOKE.test(text) && !message.reply_markup);
  row.classList.toggle("wide", isShown);
  if (message.reply_markup?.inline_keyboard) row.append(keys(message, onPress));
  return row;
}

export function draftRow(draft, onCommand) {
  const row = make("div", "row draft turn");
  const bubble = make("div", "bubble");
  const paragraph = make("p", "words");
  paragraph.append(richText(draft.text, draft.entities, onCommand));
  bubble.append(paragraph);
  row.append(bubble);
  return row;
}

function picture(message, words, onZoom, previous) {
  const largest = message.photo[message.photo.length - 1];
  const url = fileUrl(largest.file_id);
  const frame = make("button", "picture");
  frame.type = "button";
  frame.setAttribute("aria-label", [words.picture, message.caption].filter(Boolean).join(": "));
  frame.style.aspectRatio = `${largest.width} / ${Math.min(largest.height, largest.width * 1.3)}`;
  frame.addEventListener("click", () => onZoom(url));
  const image = document.createElement("img");
  image.src = url;
  image.alt = "";
  // An edited picture develops over the one before it instead of flashing.
  const before = previous?.querySelector(".picture img:last-of-type");
  if (before && before.src !== image.src) {
    const old = document.createElement("img");
    old.src = before.src;
    old.alt = "";
    frame.append(old);
    image.className = "fresh";
    image.addEventListener("animationend", () => old.remove());
  }
  frame.append(image);
  return frame;
}

// A clip that loops is silent, and plays by itself.
function film(video, message, words) {
  const frame = make("div", "picture");
  if (video.width && video.height) {
    frame.style.aspectRatio = `${video.width} / ${Math.min(video.height, video.width * 1.3)}`;
  }
  const kind = message.video ? words.film : words.animation;
  const label = [kind, message.caption].filter(Boolean).join(": ");
  frame.append(player(video, !message.video, label));
  return frame;
}

// Round; a touch lets it be heard.
function note(video, words) {
  const frame = make("button", "round-clip");
  frame.type = "button";
  frame.setAttribute("aria-label", words.video_note);
  const shown = player(video, true, words.video_note);
  frame.addEventListener("click", () => {
    shown.muted = !shown.muted;
    shown.currentTime = 0;
  });
  frame.append(shown);
  return frame;
}

function player(video, loops, label) {
  const node = document.createElement("video");
  Object.assign(node, { src: fileUrl(video.file_id), controls: !loops, muted: true, loop: loops });
  if (video.thumbnail) node.poster = fileUrl(video.thumbnail.file_id);
  node.setAttribute("aria-label", label);
  node.autoplay = loops;
  node.playsInline = true;
  node.preload = loops ? "auto" : "metadata";
  return node;
}

function file(document_, words) {
  const link = make("a", "file");
  link.href = fileUrl(document_.file_id);
  link.download = document_.file_name ?? "file";
  const icon = make("span", "sheet-icon");
  if (/^image\/(jpeg|png|webp)$/.test(document_.mime_type)) {
    const image = document.createElement("img");
    image.src = link.href;
    image.alt = "";
    image.addEventListener("error", () => image.replaceWith("?"));
    icon.append(image);
  } else {
    icon.textContent = "↓";
  }
  const about = make("span");
  about.append(
    make("b", "", document_.file_name ?? "file"),
    make("small", "", size(document_.file_size ?? 0, words.bytes)),
  );
  link.append(icon, about);
  return link;
}

function quote(message) {
  return make("span", "quote", message.text ?? message.caption ?? (message.photo ? "🖼" : message.video || message.animation || message.video_note ? "🎞" : "📎"));
}

function stampOf(message, words) {
  return (message.edit_date ? words.edited : "") + timeOf(message);
}

function timeOf(message) {
  return new Date(message.date * 1000).toTimeString().slice(0, 5);
}

function keys(message, onPress) {
  const board = make("div", "keys");
  for (const buttons of message.reply_markup.inline_keyboard) {
    const line = make("div");
    for (const button of buttons) line.append(key(message, button, onPress));
    board.append(line);
  }
  return board;
}

function key(message, button, onPress) {
  if (button.url) {
    const link = make("a", "", button.text);
    if (/^https?:\/\//i.test(button.url)) link.href = button.url;
    link.target = "_blank";
    link.rel = "noreferrer noopener";
    return link;
  }
  const press = make("button", button.style ?? "", button.text);
  press.type = "button";
  press.addEventListener("click", () => onPress(message, button, press));
  return press;
}

function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}
