ALTER TABLE "account_tool_environments" ADD COLUMN "road_asked" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "road_progress" jsonb;