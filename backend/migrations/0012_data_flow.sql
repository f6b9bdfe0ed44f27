CREATE TABLE "tool_flow_labels" (
	"account_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"capability" text NOT NULL,
	"labels" jsonb NOT NULL,
	CONSTRAINT "tool_flow_labels_instance_id_capability_pk" PRIMARY KEY("instance_id","capability")
);
--> statement-breakpoint
ALTER TABLE "call_settings" ADD COLUMN "data_flow" text DEFAULT 'warn' NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_flow_labels" ADD CONSTRAINT "tool_flow_labels_instance_id_account_tool_instances_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."account_tool_instances"("id") ON DELETE cascade ON UPDATE no action;