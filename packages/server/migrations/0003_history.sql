CREATE INDEX `aliases_by_object` ON `aliases` (`oid`);--> statement-breakpoint
CREATE INDEX `entries_begun` ON `entries` (`from_recno`);--> statement-breakpoint
CREATE INDEX `entries_left_by_object` ON `entries` (`oid`) WHERE to_recno IS NOT NULL;--> statement-breakpoint
CREATE INDEX `objects_begun` ON `objects` (`from_recno`);