// The page's own few words; everything else is said by the bot.

export const WORDS = {
  ru: {
    online: "в сети",
    offline: "нет связи…",
    typing: "печатает…",
    upload_photo: "отправляет фото…",
    upload_document: "отправляет файл…",
    choose_sticker: "выбирает стикер…",
    edited: "изм. ",
    message: "Сообщение",
    picture: "Фото",
    photo: "Фото или альбом",
    file: "Файл",
    bytes: ["Б", "КБ", "МБ"],
    tooMany: "За раз можно отправить до 10 файлов.",
    failed: "Не отправилось: ",
  },
  en: {
    online: "online",
    offline: "connecting…",
    typing: "typing…",
    upload_photo: "sending a photo…",
    upload_document: "sending a file…",
    choose_sticker: "choosing a sticker…",
    edited: "edited ",
    message: "Message",
    picture: "Photo",
    photo: "Photo or album",
    file: "File",
    bytes: ["B", "KB", "MB"],
    tooMany: "Up to 10 files can be sent at once.",
    failed: "Not sent: ",
  },
};

export function size(bytes, units) {
  const step = bytes < 1024 ? 0 : bytes < 1024 * 1024 ? 1 : 2;
  const value = bytes / 1024 ** step;
  return `${step && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}
