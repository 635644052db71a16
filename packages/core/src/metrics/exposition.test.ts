import { expect, test } from "vitest";

import { writeExposition } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

test("writeExposition() escapes what labels hold, and leaves out what has no value", () => {
  const text = writeExposition([
    {
      name: "izo_peer_lag_records",
      type: "gauge",
      help: "Records",
      samples: [{ labels: { host: 'a"b\\c\nd\udcff' }, value: 3 }, { value: 0.5 }],
    },
    { name: "izo_nothing", type: "gauge", help: "Nothing", samples: [] },
  ]);
  expect(text).toBe(
    "# HELP izo_peer_lag_records Records\n" +
      "# TYPE izo_peer_lag_records gauge\n" +
      'izo_peer_lag_records{host="a\\"b\\\\c\\nd\ufffd"} 3\n' +
      "izo_peer_lag_records 0.5\n",
  );
});

test("Histogram counts a value in its bucket and all above it", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe({ route: "kml" }, value);
  expect(writeExposition([histogram.family("izo_x_seconds", "X")])).toBe(
    "# HELP izo_x_seconds X\n" +
      "# TYPE izo_x_seconds histogram\n" +
      'izo_x_seconds_bucket{route="kml",le="0.1"} 2\n' +
      'izo_x_seconds_bucket{route="kml",le="1"} 3\n' +
      'izo_x_seconds_bucket{route="kml",le="+Inf"} 4\n' +
      'izo_x_seconds_sum{route="kml"} 7.65\n' +
      'izo_x_seconds_count{route="kml"} 4\n',
  );
});
