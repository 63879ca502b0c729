import type { Generated } from "kysely";

import type { Attachment } from "#core/chat.ts";
import type { Feedback } from "#core/chat-store.ts";
import type { Purpose } from "#core/http.ts";
import type { CodePurpose } from "#core/people.ts";
import type { PrivacyRule } from "#core/privacy.ts";
import type { Attempt, PriceSource, TierName } from "#core/route.ts";
import type { ChoiceStage, TaskState } from "#core/task.ts";
import type { Label, Trust } from "#core/trust.ts";

/** Columns as SQLite holds them: times in milliseconds since 1970, JSON as text. */
export interface Schema {
  people: {
    id: string;
    created_at: number;
    time_zone: string | null;
    language: string | null;
    role: Generated<"owner" | "member">;
    name: string | null;
  };
  accounts: {
    platform: string;
    account_id: string;
    person_id: string;
    name: string;
    created_at: number;
  };
  codes: {
    id: Generated<number>;
    purpose: CodePurpose;
    hash: string;
    salt: string;
    person_id: string | null;
    platform: string | null;
    account_id: string | null;
    name: string | null;
    tries_left: number;
    expires_at: number;
    created_at: number;
  };
  chats: {
    id: string;
    platform: string;
    person_id: string;
    conversation: number;
    created_at: number;
    address: string;
    kind: Generated<"direct" | "group">;
    agent: string | null;
    tier: string | null;
  };
  messages: {
    id: Generated<number>;
    chat_id: string;
    conversation: number;
    task_id: string;
    role: "user" | "assistant";
    text: string;
    sources: string;
    created_at: number;
  };
  tasks: {
    rowid: Generated<number>;
    id: string;
    chat_id: string;
    person_id: string;
    conversation: number;
    state: TaskState;
    agent: string;
    chosen_by: ChoiceStage;
    tier: TierName | null;
    input: string;
    output: string | null;
    failure: string | null;
    created_at: number;
    finished_at: number | null;
    reply_to: string | null;
    /** 1 where nothing may go to a cloud for it. */
    local_only: Generated<0 | 1>;
    /** The deployment whose answer was not wanted. */
    avoid: string | null;
  };
  steps: {
    task_id: string;
    seq: number;
    kind: string;
    body: string;
    started_at: number;
    finished_at: number;
  };
  usage: {
    id: Generated<number>;
    task_id: string;
    seq: number;
    deployment: string;
    tier: Attempt["tier"];
    reason: string;
    outcome: Attempt["outcome"];
    prompt_tokens: number | null;
    answer_tokens: number | null;
    cached_tokens: number | null;
    cache_written_tokens: number | null;
    started_at: number;
    queued_ms: Generated<number>;
    duration_ms: number;
    first_token_ms: number | null;
    cost_usd: number | null;
    priced: PriceSource | null;
    /** 1 where tokens were counted by us. */
    estimated: Generated<0 | 1>;
    /** Null in rows of earlier versions. */
    attempt_id: string | null;
  };
  /** What the owner decided; an empty chat is everywhere. */
  privacy_rules: { chat_id: string; rule: PrivacyRule; created_at: number };
  gold_labels: { text: string; agent: string; created_at: number };
  routes: { id: Generated<number>; task_id: string; seq: number; body: string };
  summaries: {
    id: Generated<number>;
    chat_id: string;
    conversation: number;
    from_message: number;
    to_message: number;
    text: string;
    label: Label;
    sources: string;
    tainted: 0 | 1;
    deployment: string;
    created_at: number;
  };
  receipts: {
    id: string;
    task_id: string | null;
    purpose: Purpose;
    host: string;
    trust: Trust;
    at: number;
    head_bytes_out: number;
    body_bytes_out: number;
    head_bytes_in: number;
    body_bytes_in: number;
    sha256_out: string | null;
    sha256_in: string | null;
    labels: string;
    redactions: number;
    status: number | null;
  };
  inbox: {
    seq: Generated<number>;
    platform: string;
    account: string;
    update_id: string;
    address: string | null;
    message_id: string | null;
    /** What is to be done; null when it is done. */
    body: string | null;
    received_at: number;
    done_at: number | null;
  };
  task_messages: {
    chat_id: string;
    message_id: string;
    task_id: string;
    seq: number;
    text: string;
    /** 1 for a message that came while the task was being worked, and is for it. */
    steers: Generated<0 | 1>;
    /** The step that took it up. */
    step: number | null;
  };
  outbox: {
    id: Generated<number>;
    chat_id: string;
    task_id: string | null;
    part: number;
    /** Orders the parts of a chat: the row's id, or between two of them where one part became several. */
    place: Generated<number>;
    reply_to: string | null;
    /** 1 for the change of a message that was sent before. */
    is_change: Generated<0 | 1>;
    /** Empty when it is sent. */
    body: string;
    state: "open" | "sent" | "dead";
    message_id: string | null;
    attempts: Generated<number>;
    problem: string | null;
    created_at: number;
    sent_at: number | null;
  };
  questions: {
    id: string;
    task_id: string;
    call_id: string;
    chat_id: string;
    person_id: string;
    text: string;
    choices: string;
    state: "open" | "answered" | "closed";
    /** The row of its card. */
    outbox_id: number | null;
    created_at: number;
  };
  buttons: {
    hash: string;
    chat_id: string;
    person_id: string | null;
    action: string;
    created_at: number;
  };
  feedback: {
    id: Generated<number>;
    task_id: string;
    person_id: string;
    kind: Feedback["kind"];
    value: string;
    created_at: number;
  };
  attachments: {
    id: string;
    chat_id: string;
    message_id: string;
    /** The place among the message's files, from 0. */
    at: number;
    kind: Attachment["kind"];
    name: string;
    media_type: string;
    size: number | null;
    reference: string;
    sha256: string | null;
    problem: string | null;
    created_at: number;
  };
  /** When a platform was last heard, so that an outage can be told after it. */
  polls: { platform: string; account: string; at: number };
}
