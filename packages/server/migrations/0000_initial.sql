CREATE TABLE `aliases` (
	`alias` blob PRIMARY KEY NOT NULL,
	`oid` blob NOT NULL,
	`from_recno` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `disk` (
	`oid` blob PRIMARY KEY NOT NULL,
	`dev` integer NOT NULL,
	`ino` integer NOT NULL,
	`btime_ns` integer NOT NULL,
	`size_bytes` integer NOT NULL,
	`mtime_ns` integer NOT NULL,
	`ctime_ns` integer NOT NULL,
	`mode` integer NOT NULL,
	`uid` integer NOT NULL,
	`gid` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `disk_by_inode` ON `disk` (`ino`);--> statement-breakpoint
CREATE TABLE `entries` (
	`parent` blob NOT NULL,
	`name` blob NOT NULL,
	`oid` blob NOT NULL,
	`from_recno` integer NOT NULL,
	`to_recno` integer,
	PRIMARY KEY(`parent`, `name`, `from_recno`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `entries_present` ON `entries` (`parent`,`name`) WHERE to_recno IS NULL;--> statement-breakpoint
CREATE INDEX `entries_by_object` ON `entries` (`oid`) WHERE to_recno IS NULL;--> statement-breakpoint
CREATE TABLE `head` (
	`id` integer PRIMARY KEY NOT NULL,
	`recno` integer NOT NULL,
	`hash` blob NOT NULL,
	`log_time_ns` integer NOT NULL,
	`fileset` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `objects` (
	`oid` blob NOT NULL,
	`from_recno` integer NOT NULL,
	`to_recno` integer,
	`kind` text NOT NULL,
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
	PRIMARY KEY(`oid`, `from_recno`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `objects_present` ON `objects` (`oid`) WHERE to_recno IS NULL;--> statement-breakpoint
CREATE INDEX `objects_by_content` ON `objects` (`sha256`,`to_recno`);--> statement-breakpoint
CREATE TABLE `outcomes` (
	`peer` blob NOT NULL,
	`origin_recno` integer NOT NULL,
	`verdict` text NOT NULL,
	`reason` text,
	`trace` integer NOT NULL,
	`origin_check` text NOT NULL,
	`oid` blob NOT NULL,
	`name_version` integer NOT NULL,
	`content_version` integer NOT NULL,
	`attributes_version` integer NOT NULL,
	PRIMARY KEY(`peer`, `origin_recno`)
);
--> statement-breakpoint
CREATE TABLE `peers` (
	`peer` blob PRIMARY KEY NOT NULL,
	`host` text NOT NULL,
	`received_recno` integer NOT NULL,
	`replayed_recno` integer NOT NULL,
	`seen_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `retained` (
	`sha256` blob PRIMARY KEY NOT NULL,
	`ino` integer NOT NULL,
	`size_bytes` integer NOT NULL,
	`mtime_ns` integer NOT NULL,
	`ctime_ns` integer NOT NULL,
	`since_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tombstones` (
	`oid` blob PRIMARY KEY NOT NULL,
	`parent` blob NOT NULL,
	`name` blob NOT NULL,
	`removed_at` integer NOT NULL
);
