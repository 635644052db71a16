ALTER TABLE `peers` ADD `forgotten_ms` integer;--> statement-breakpoint
CREATE INDEX `entries_ended` ON `entries` (`to_recno`) WHERE to_recno IS NOT NULL;--> statement-breakpoint
CREATE INDEX `objects_ended` ON `objects` (`to_recno`) WHERE to_recno IS NOT NULL;--> statement-breakpoint
CREATE INDEX `tombstones_by_removal` ON `tombstones` (`removed_at`);