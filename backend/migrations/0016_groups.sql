CREATE TABLE "account_tool_groups" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbox_id" text NOT NULL,
	"name" text NOT NULL,
	"desired" text DEFAULT 'present' NOT NULL,
	"members" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'deploying' NOT NULL,
	"since" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"progressed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"failure" jsonb,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "group_desired" CHECK ("account_tool_groups"."desired" in ('present','absent')),
	CONSTRAINT "group_state" CHECK ("account_tool_groups"."state" in ('deploying','ready','undoing','failed'))
);
--> statement-breakpoint
ALTER TABLE "account_tool_instances" ADD COLUMN "group_id" text;--> statement-breakpoint
ALTER TABLE "account_tool_instances" ADD COLUMN "begun" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "account_tool_groups" ADD CONSTRAINT "account_tool_groups_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "group_name" ON "account_tool_groups" USING btree ("toolbox_id","name");--> statement-breakpoint
ALTER TABLE "account_tool_instances" ADD CONSTRAINT "account_tool_instances_group_id_account_tool_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."account_tool_groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "instance_group" ON "account_tool_instances" USING btree ("group_id");