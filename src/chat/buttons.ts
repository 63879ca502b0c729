import { createHash, randomBytes } from "node:crypto";

import type { Button, ButtonAction, Buttons, NewButton } from "#core/chat.ts";

/** A button as it is offered: what it says and does. */
export interface Offer {
  readonly label: string;
  readonly tone?: Button["tone"];
  readonly action: ButtonAction;
}

/** The form in which a button's id is stored: whoever reads the database cannot press it. */
export function hashOf(buttonId: string): string {
  return createHash("sha256").update(buttonId).digest("hex");
}

/** Buttons as they are drawn and as they are stored; each gets a random id of 128 bits. */
export function drawOffers(
  offers: readonly (readonly Offer[])[],
  personId: string | null,
): { readonly buttons: Buttons; readonly stored: readonly NewButton[] } {
  const stored: NewButton[] = [];
  const buttons = offers.map((row) =>
    row.map(({ label, tone, action }) => {
      const id = randomBytes(16).toString("base64url");
      stored.push({ hash: hashOf(id), action, personId });
      return { id, label, ...(tone === undefined ? {} : { tone }) };
    }),
  );
  return { buttons, stored };
}
