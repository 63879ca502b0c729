import type { Block, Code } from "./tree.ts";

/** Longer code is read better as a file. */
const longestLines = 120;
const longestCode = 6000;

const endings: Readonly<Record<string, string>> = {
  bash: "sh",
  c: "c",
  "c#": "cs",
  "c++": "cpp",
  cpp: "cpp",
  cs: "cs",
  csharp: "cs",
  css: "css",
  csv: "csv",
  diff: "diff",
  dockerfile: "dockerfile",
  go: "go",
  html: "html",
  java: "java",
  javascript: "js",
  js: "js",
  json: "json",
  jsx: "jsx",
  kotlin: "kt",
  latex: "tex",
  lua: "lua",
  markdown: "md",
  md: "md",
  php: "php",
  py: "py",
  python: "py",
  rb: "rb",
  ruby: "rb",
  rs: "rs",
  rust: "rs",
  sh: "sh",
  shell: "sh",
  sql: "sql",
  swift: "swift",
  toml: "toml",
  ts: "ts",
  tsx: "tsx",
  typescript: "ts",
  xml: "xml",
  yaml: "yaml",
  yml: "yaml",
};

/** Code that goes as a file of its own. */
export interface CodeFile {
  readonly name: string;
  readonly text: string;
}

function isLong({ text }: Code): boolean {
  return text.length > longestCode || text.split("\n").length > longestLines;
}

/** A document with a line in the place of each long code, and the files that these lines name, in order. */
export function withoutLongCode(blocks: readonly Block[]): {
  readonly blocks: readonly Block[];
  readonly files: readonly CodeFile[];
} {
  const files: CodeFile[] = [];

  function lineFor(code: Code): Block {
    const name = `code-${files.length + 1}.${endings[code.language] ?? "txt"}`;
    files.push({ name, text: `${code.text}\n` });
    const lines = code.text.split("\n").length;
    return {
      type: "paragraph",
      children: [
        { type: "text", text: "📎 " },
        { type: "code", text: name },
        { type: "text", text: ` (${lines} ${lines === 1 ? "line" : "lines"})` },
      ],
    };
  }

  function without(all: readonly Block[]): readonly Block[] {
    return all.map((block): Block => {
      if (block.type === "code") return isLong(block) ? lineFor(block) : block;
      if (block.type === "quote") return { ...block, blocks: without(block.blocks) };
      if (block.type !== "list") return block;
      const items = block.items.map((item) => ({ ...item, blocks: without(item.blocks) }));
      return { ...block, items };
    });
  }

  return { blocks: without(blocks), files };
}

/** A file's name as it may stand in the head of an upload, where it is not quoted. */
export function safeName(name: string): string {
  const [last = ""] = name.split(/[/\\]/).slice(-1);
  const safe = last
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{N}._+-]+/gu, "_")
    .slice(-100);
  return /[\p{L}\p{N}]/u.test(safe) ? safe : "file";
}
