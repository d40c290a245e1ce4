using Fluid;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>Makes a notification's text, by a template in Liquid whose words are the notification's fields in snake_case.</summary>
internal sealed class MessageTemplate
{
    private const string Prefix = "notify/";

    private static readonly FluidParser Parser = new();
    private static readonly TemplateOptions Options = new()
    {
        MemberAccessStrategy = { MemberNameStrategy = MemberNameStrategies.SnakeCase },
        MaxSteps = 10_000,
    };

    private readonly IFluidTemplate _template;
    private readonly string _topic;

    static MessageTemplate()
    {
        Options.MemberAccessStrategy.Register<Notification>();
        Options.MemberAccessStrategy.Register<NotifiedStream>();
    }

    private MessageTemplate(IFluidTemplate template, string topic) => (_template, _topic) = (template, topic);

    /// <summary>Names of templates that come with the program.</summary>
    public static IEnumerable<string> Names => typeof(MessageTemplate).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..]).Order(StringComparer.Ordinal);

    /// <param name="text">A name of one that is known, or the template itself.</param>
    /// <param name="topic">What the template calls topic.</param>
    /// <param name="wrong">What is wrong with it, and where.</param>
    /// <returns>Null where it is none.</returns>
    public static MessageTemplate? TryParse(string text, string topic, out string? wrong)
    {
        return Parser.TryParse(Known(text) ?? text, out IFluidTemplate? template, out wrong) ? new MessageTemplate(template, topic) : null;
    }

    /// <exception cref="InvalidOperationException">It takes too many steps.</exception>
    public string Render(Notification notification)
    {
        var context = new TemplateContext(notification, Options);
        context.SetValue("topic", _topic);
        return _template.Render(context);
    }

    /// <summary>The template of a name; null where it is none.</summary>
    private static string? Known(string name)
    {
        using Stream? resource = typeof(MessageTemplate).Assembly.GetManifestResourceStream(Prefix + name);

        if (resource is null)
        {
            return null;
        }

        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
