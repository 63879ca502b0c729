import { type Api, GrammyError } from "grammy";

import type { Attachment, FetchedFile } from "#core/chat.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Fetch } from "#core/http.ts";
import type { Secret } from "#core/secret.ts";

/** What fetching files needs. */
export interface FileFetcherDeps {
  readonly api: Pick<Api, "getFile">;
  readonly fetch: Fetch;
  /** Where the Bot API is. */
  readonly root: string;
  readonly token: Secret;
}

/** Telegram's own server hands over files of at most 20 MiB; a server of one's own has no such limit. */
const publicRoot = "https://api.telegram.org";
const mostBytes = 20 * 1024 * 1024;

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 100_000) / 10} MB`;
}

function tooLarge({ name, size }: Attachment, cause?: unknown): AppError {
  const limit = `${mostBytes / 1024 / 1024} MB over Telegram`;
  const known = size === null ? "too" : megabytes(size);
  return new AppError("chat.file-too-large", { name, size: known, limit }, { cause });
}

/** Why Telegram does not say where a file is. Only its own refusal of this file is final. */
function refusal(attachment: Attachment, error: unknown): AppError {
  const { name } = attachment;
  if (!(error instanceof GrammyError)) {
    const problem = "Telegram cannot be reached";
    return new AppError("chat.file-unreachable", { name, problem }, { cause: error });
  }
  const { error_code: code, description } = error;
  if (description.includes("file is too big")) return tooLarge(attachment, error);
  const isFinal = code === 400 && !description.includes("temporarily");
  const problem = description.replace(/^Bad Request: /, "");
  const kind = isFinal ? "chat.file-gone" : "chat.file-unreachable";
  return new AppError(kind, { name, problem }, { cause: error });
}

/** The path as part of an address; undefined where it is none, or leads elsewhere. */
function pathOf(path: string | undefined): string | undefined {
  const parts = (path ?? "").split("/");
  const isPlain = parts.every((part) => !["", ".", ".."].includes(part));
  return isPlain ? parts.map((part) => encodeURIComponent(part)).join("/") : undefined;
}

/** Fetches the files of messages. The address of a file holds the token, so that it is in no failure. */
export function createFileFetcher({ api, fetch, root, token }: FileFetcherDeps) {
  async function find(attachment: Attachment): Promise<string> {
    try {
      const { file_path: found } = await api.getFile(attachment.reference);
      const path = pathOf(found);
      if (path !== undefined) return `${root}/file/bot${token.reveal()}/${path}`;
    } catch (error) {
      throw refusal(attachment, error);
    }
    const problem = "Telegram does not say where it is";
    throw new AppError("chat.file-unreachable", { name: attachment.name, problem });
  }

  async function download(address: string, name: string, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(address, { signal });
    } catch (error) {
      signal.throwIfAborted();
      const problem = error instanceof AppError ? reasonOf(error) : "the connection broke";
      throw new AppError("chat.file-unreachable", { name, problem }, { cause: error });
    }
  }

  return async (attachment: Attachment, signal: AbortSignal): Promise<FetchedFile> => {
    const { name, size } = attachment;
    if (root === publicRoot && size !== null && size > mostBytes) throw tooLarge(attachment);
    const address = await find(attachment);
    signal.throwIfAborted();
    const response = await download(address, name, signal);
    const { ok, status, body } = response;
    if (ok && body !== null) {
      const length = Number(response.headers.get("content-length") ?? Number.NaN);
      return { body, size: Number.isSafeInteger(length) ? length : null };
    }
    await body?.cancel();
    throw new AppError("chat.file-unreachable", { name, problem: `Telegram answers ${status}` });
  };
}
