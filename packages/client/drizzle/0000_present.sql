CREATE TABLE `aliases` (
	`alias` blob PRIMARY KEY NOT NULL,
	`oid` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `entries` (
	`parent` blob NOT NULL,
	`name` blob NOT NULL,
	`oid` blob NOT NULL,
	`version` integer NOT NULL,
	PRIMARY KEY(`parent`, `name`)
);
--> statement-breakpoint
CREATE INDEX `entries_by_oid` ON `entries` (`oid`);--> statement-breakpoint
CREATE TABLE `objects` (
	`oid` blob PRIMARY KEY NOT NULL,
	`kind` integer NOT NULL,
	`creator` blob NOT NULL,
	`mode` integer NOT NULL,
	`uid` integer NOT NULL,
	`gid` integer NOT NULL,
	`attributes_version` integer NOT NULL,
	`size_bytes` integer NOT NULL,
	`mtime_ns` integer NOT NULL,
	`sha256` blob,
	`content_version` integer NOT NULL,
	`target` blob,
	`rdev` integer NOT NULL,
	`xattrs` text,
	`conflict` text
);
--> statement-breakpoint
CREATE TABLE `outcomes` (
	`peer` blob NOT NULL,
	`recno` integer NOT NULL,
	`verdict` text NOT NULL,
	`reason` text,
	`trace` integer NOT NULL,
	`check` text NOT NULL,
	`oid` blob NOT NULL,
	`name_version` integer NOT NULL,
	`content_version` integer NOT NULL,
	`attributes_version` integer NOT NULL,
	PRIMARY KEY(`peer`, `recno`)
);
--> statement-breakpoint
CREATE TABLE `positions` (
	`recno` integer PRIMARY KEY NOT NULL,
	`hash` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `standing` (
	`id` integer PRIMARY KEY NOT NULL,
	`recno` integer NOT NULL,
	`hash` blob NOT NULL,
	`acknowledged_peer` blob NOT NULL,
	`acknowledged_recno` integer NOT NULL,
	`acknowledged_check` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tombstones` (
	`oid` blob PRIMARY KEY NOT NULL,
	`kind` integer NOT NULL,
	`creator` blob NOT NULL,
	`mode` integer NOT NULL,
	`uid` integer NOT NULL,
	`gid` integer NOT NULL,
	`attributes_version` integer NOT NULL,
	`size_bytes` integer NOT NULL,
	`mtime_ns` integer NOT NULL,
	`sha256` blob,
	`content_version` integer NOT NULL,
	`target` blob,
	`rdev` integer NOT NULL,
	`xattrs` text,
	`conflict` text,
	`parent` blob NOT NULL,
	`name` blob NOT NULL,
	`removed_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `tombstones_by_recno` ON `tombstones` (`removed_at`);