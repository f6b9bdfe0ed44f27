ALTER TABLE "call_settings" ADD COLUMN "secrets" text DEFAULT 'redact' NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "secrets_seen" jsonb;