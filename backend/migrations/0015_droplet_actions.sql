CREATE TABLE "droplet_actions" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbox_id" text NOT NULL,
	"request" jsonb NOT NULL,
	"actor" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'asked' NOT NULL,
	"record" jsonb DEFAULT '{"stage":0,"attempts":0,"looks":0}'::jsonb NOT NULL,
	"message" text,
	"ended_at" timestamp (3) with time zone,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "droplet_action_state" CHECK ("droplet_actions"."state" in ('asked','running','done','failed'))
);
--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "reserved_ip_address" text;--> statement-breakpoint
ALTER TABLE "droplet_actions" ADD CONSTRAINT "droplet_actions_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "droplet_action_at_work" ON "droplet_actions" USING btree ("toolbox_id") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "droplet_action_time" ON "droplet_actions" USING btree ("toolbox_id","created_at");