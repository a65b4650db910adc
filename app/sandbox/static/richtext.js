// A Bot API text with entities as DOM nodes. Offsets are UTF-16 units, as JavaScript's own.

const TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  spoiler: "mark",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

export function richText(text, entities, onCommand) {
  const root = document.createDocumentFragment();
  const sorted = [...(entities ?? [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  fill(root, text, 0, text.length, sorted, onCommand);
  return root;
}

function fill(parent, text, start, end, entities, onCommand) {
  let at = start;
  let next = 0;
  while (next < entities.length) {
    const entity = entities[next++];
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at || stop <= entity.offset) continue;
    parent.append(text.slice(at, entity.offset));
    const inner = [];
    while (next < entities.length && entities[next].offset < stop) inner.push(entities[next++]);
    const node = element(entity, text.slice(entity.offset, stop), onCommand);
    fill(node, text, entity.offset, stop, inner, onCommand);
    parent.append(node);
    at = stop;
  }
  parent.append(text.slice(at, end));
}

function element(entity, text, onCommand) {
  if (entity.type === "bot_command") {
    const command = document.createElement("button");
    command.type = "button";
    command.className = "command";
    command.addEventListener("click", () => onCommand(text));
    return command;
  }
  if (entity.type === "text_link" || entity.type === "url") {
    const link = document.createElement("a");
    const url = entity.url ?? text;
    if (/^https?:\/\//i.test(url)) link.href = url;
    link.rel = "noreferrer noopener";
    link.target = "_blank";
    return link;
  }
  return document.createElement(TAGS[entity.type] ?? "span");
}

// Clients make commands in a text clickable by themselves, whoever wrote it.
export function withCommands(text, entities) {
  const found = [...text.matchAll(/(?<![\p{L}\p{N}_/])\/[A-Za-z0-9_]{1,32}(?![\w/])/gu)].map((match) => ({
    type: "bot_command",
    offset: match.index,
    length: match[0].length,
  }));
  const known = entities ?? [];
  const isNew = (mark) => !known.some((e) => e.offset <= mark.offset && mark.offset < e.offset + e.length);
  return [...known, ...found.filter(isNew)];
}
