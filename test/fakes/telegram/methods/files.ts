import { bad, Refusal } from "../refusal.ts";
import { type FileKind, type StoredFile, type World } from "../world.ts";

import { buttonsOf, redraw, wordsFor } from "./checks.ts";
import { type Context, type Handler, type Input, on, type Result, type Upload } from "./context.ts";
import { drawn, edited, send } from "./messages.ts";

const megabyte = 1024 * 1024;
const largestUpload = { photo: 10 * megabyte, others: 50 * megabyte };
const largestDownload = 20 * megabyte;

/** Keeps a file as Telegram does. */
export function keepFile(
  world: World,
  file: { readonly kind: FileKind; readonly name: string; readonly mime: string } & (
    | { readonly bytes: Uint8Array }
    | { readonly size: number }
  ),
): StoredFile {
  const { kind, name, mime } = file;
  const number = ++world.lastFile;
  const size = "bytes" in file ? file.bytes.length : file.size;
  const kept: StoredFile = {
    id: `file-${number}`,
    kind,
    name,
    mime,
    size,
    ...("bytes" in file ? { bytes: file.bytes } : {}),
    path: `${kind}s/file_${number}${/\.\w+$/.exec(name)?.[0] ?? ""}`,
  };
  world.files.set(kept.id, kept);
  return kept;
}

function keepUpload(world: World, kind: FileKind, { name, mime, bytes }: Upload): StoredFile {
  const most = kind === "photo" ? largestUpload.photo : largestUpload.others;
  if (bytes.length > most) throw new Refusal(413, "Request Entity Too Large");
  if (bytes.length === 0) throw bad("file must be non-empty");
  return keepFile(world, { kind, name, mime, bytes });
}

/** The file that a call names: one that came with it, or one that Telegram has. Addresses are never fetched. */
function fileFor({ world, uploads }: Context, kind: FileKind, named: unknown): StoredFile {
  if (typeof named !== "string") throw bad(`there is no ${kind} in the request`);
  if (named.startsWith("attach://")) {
    const upload = uploads.get(named.slice("attach://".length));
    if (upload === undefined) throw bad(`there is no ${kind} in the request`);
    return keepUpload(world, kind, upload);
  }
  if (/^\w+:\/\//.test(named)) {
    world.violations.push(`a media address: ${named}`);
    throw bad("failed to get HTTP URL content");
  }
  const file = world.files.get(named);
  if (file === undefined) throw bad("wrong remote file identifier specified: Wrong string length");
  if (file.kind !== kind) throw bad(`can't use file of type ${file.kind} as ${kind}`);
  return file;
}

interface Captioned {
  readonly caption?: string;
  readonly caption_entities?: Input<"sendDocument">["caption_entities"];
  readonly parse_mode?: string;
}

function captionOf(context: Context, input: Captioned) {
  const { caption: text = "", caption_entities: entities, parse_mode: mode } = input;
  return wordsFor(context, { text, entities, mode, preview: { is_disabled: true } });
}

async function sendFile(
  context: Context,
  input: Captioned & Parameters<typeof send>[1],
  file: { readonly kind: FileKind; readonly named: unknown },
): Promise<Result> {
  const look = await captionOf(context, input);
  const kept = fileFor(context, file.kind, file.named);
  return send(context.world, input, { ...look, file: kept });
}

async function editMessageMedia(
  context: Context,
  input: Input<"editMessageMedia">,
): Promise<Result> {
  const { world } = context;
  const { media } = input;
  if (media.type === "animation" || media.type === "live_photo") {
    throw new Refusal(501, "Not Implemented: this stand-in has no such media");
  }
  const look = await captionOf(context, media);
  const file = fileFor(context, media.type, media.media);
  const buttons = buttonsOf(world, input.reply_markup);
  const { chat, seen } = edited(world, input);
  redraw(world, seen, { ...look, file, buttons });
  return drawn(world, chat, seen);
}

function getFile({ world }: Context, { file_id: id }: Input<"getFile">): Result {
  const file = world.files.get(id.replace(/-small$/, ""));
  if (file === undefined) throw bad("wrong file_id or the file is temporarily unavailable");
  const { size } = file;
  if (size > largestDownload) throw bad("file is too big");
  return { file_id: id, file_unique_id: `u${id}`, file_size: size, file_path: file.path };
}

/** What comes and goes as files. */
export const fileMethods: readonly Handler[] = [
  on("sendDocument", (context, input) =>
    sendFile(context, input, { kind: "document", named: input.document }),
  ),
  on("sendPhoto", (context, input) =>
    sendFile(context, input, { kind: "photo", named: input.photo }),
  ),
  on("sendVoice", (context, input) =>
    sendFile(context, input, { kind: "voice", named: input.voice }),
  ),
  on("sendAudio", (context, input) =>
    sendFile(context, input, { kind: "audio", named: input.audio }),
  ),
  on("sendVideo", (context, input) =>
    sendFile(context, input, { kind: "video", named: input.video }),
  ),
  on("editMessageMedia", editMessageMedia),
  on("getFile", getFile),
];

/** The bytes of a path, as they are fetched. */
export function download(world: World, path: string): Uint8Array | undefined {
  const file = [...world.files.values()].find((one) => one.path === path);
  return file === undefined || file.size > largestDownload ? undefined : file.bytes;
}
