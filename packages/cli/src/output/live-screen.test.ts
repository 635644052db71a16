import { expect, test } from "vitest";

import { LiveScreen } from "./live-screen.ts";

function show(isTTY: boolean): string {
  let written = "";
  {
    using screen = new LiveScreen({ isTTY, write: (text) => (written += text) }, { isLive: true });
    screen.show("first\nlook");
    screen.show("second");
  }
  return written;
}

test("LiveScreen draws over what it has drawn, and gives the terminal back", () => {
  expect(show(true)).toBe(
    "\u001b[?1049h\u001b[?25l\u001b[Hfirst\u001b[K\nlook\u001b[K\n\u001b[J" +
      "\u001b[Hsecond\u001b[K\n\u001b[J" +
      "\u001b[?25h\u001b[?1049l",
  );
});

test("LiveScreen writes looks one below the other where there is no terminal", () => {
  expect(show(false)).toBe("first\nlook\n\nsecond\n");
});
