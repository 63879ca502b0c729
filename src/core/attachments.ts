import type { Attachment } from "./chat.ts";

/** A file that came with a message, and what became of it. */
export interface StoredAttachment extends Attachment {
  readonly id: string;
  readonly chatId: string;
  readonly messageId: string;
  /** SHA-256 of its content in hexadecimal; null until it is stored. */
  readonly sha256: string | null;
  /** Why it is not stored, in words for its person; null where it is, or may still be. */
  readonly problem: string | null;
}

/** What is known of files. Promises resolve after the commit. */
export interface AttachmentStore {
  /** Notes the files of a message; those that are noted already are left as they are. Gives those of the message, in order. */
  noteAttachments(
    message: { readonly chatId: string; readonly messageId: string },
    attachments: readonly Attachment[],
  ): Promise<StoredAttachment[]>;
  /** A file was stored, or cannot be. */
  settleAttachment(
    id: string,
    outcome: { readonly sha256: string; readonly size: number } | { readonly problem: string },
  ): Promise<void>;
  /** The files of the messages that a task answers, in order; of one that was asked for again, those of the first one. */
  attachmentsOf(taskId: string): Promise<StoredAttachment[]>;
}

/** What a task's files add to it. Derived from the store each time, and never stored with the task. */
export interface TaskFiles {
  /** What the model is told of them, after the person's own words; "" where there are none. */
  readonly words: string;
  /** What the person is told of them under the answer: those that nothing could be done with, and why; "" where there are none. */
  readonly notice: string;
}

/** Files by the hash of their content, in the data directory; one that is stored is never changed. */
export interface FileStore {
  /**
   * Stores a stream as it comes; gives its hash and size. Rejects with `chat.file-too-large` beyond `mostBytes`, with a `store.*` of a
   * full disk, and with the stream's own failure; nothing is left behind then.
   */
  put(
    body: ReadableStream<Uint8Array>,
    mostBytes: number,
  ): Promise<{ readonly sha256: string; readonly size: number }>;
  /** The content of a stored file; rejects with `chat.file-missing`. */
  read(sha256: string): Promise<Uint8Array>;
}
