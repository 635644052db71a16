ALTER TABLE `head` ADD `files` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `head` ADD `bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `objects_in_conflict` ON `objects` (`oid`) WHERE conflict IS NOT NULL AND to_recno IS NULL;--> statement-breakpoint
UPDATE `head` SET
	files = (SELECT count(*) FROM `objects` WHERE kind = 'file' AND to_recno IS NULL),
	bytes = (SELECT coalesce(sum(size_bytes), 0) FROM `objects` WHERE kind = 'file' AND to_recno IS NULL);
