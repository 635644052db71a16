CREATE TABLE `file_totals` (
	`id` integer PRIMARY KEY NOT NULL,
	`files` integer NOT NULL,
	`bytes` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `objects_in_conflict` ON `objects` (`oid`) WHERE conflict IS NOT NULL AND to_recno IS NULL;--> statement-breakpoint
INSERT INTO `file_totals` SELECT 1, count(*), coalesce(sum(size_bytes), 0) FROM `objects` WHERE kind = 'file' AND to_recno IS NULL;--> statement-breakpoint
CREATE TRIGGER `file_begins` AFTER INSERT ON `objects` WHEN NEW.kind = 'file' AND NEW.to_recno IS NULL BEGIN
	UPDATE `file_totals` SET files = files + 1, bytes = bytes + NEW.size_bytes;
END;--> statement-breakpoint
CREATE TRIGGER `file_ends` AFTER UPDATE OF to_recno ON `objects` WHEN OLD.kind = 'file' AND OLD.to_recno IS NULL AND NEW.to_recno IS NOT NULL BEGIN
	UPDATE `file_totals` SET files = files - 1, bytes = bytes - OLD.size_bytes;
END;--> statement-breakpoint
CREATE TRIGGER `file_is_dropped` AFTER DELETE ON `objects` WHEN OLD.kind = 'file' AND OLD.to_recno IS NULL BEGIN
	UPDATE `file_totals` SET files = files - 1, bytes = bytes - OLD.size_bytes;
END;
